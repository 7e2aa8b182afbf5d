/* models/coherence/names.c - names of the events, from the lists in models/protocol.h. */
#include "models/protocol.h"

#define X(id, sentence) [CEV_##id] = #id,
static const char *const cache_events[CACHE_EVENT_COUNT] = { CACHE_EVENT_LIST(X) };
#undef X
#define X(id, sentence) [HEV_##id] = #id,
static const char *const home_events[HOME_EVENT_COUNT] = { HOME_EVENT_LIST(X) };
#undef X

/* What a faulty table makes a controller receive may be no event of it. */
static const char not_one[] = "(message it cannot take)";

const char *cache_event_name(enum cache_event e) { return (unsigned)e < CACHE_EVENT_COUNT ? cache_events[e] : not_one; }
const char *home_event_name(enum home_event e) { return (unsigned)e < HOME_EVENT_COUNT ? home_events[e] : not_one; }
