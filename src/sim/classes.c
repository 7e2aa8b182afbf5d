/* src/sim/classes.c - the tables behind the dictionary. */
#include "src/sim/classes.h"

#define X(id, name, sentence) [PART_##id] = { name, sentence },
const struct term part_terms[PART_COUNT] = { PART_LIST(X) };
#undef X
#define X(id, name, sentence) [PH_##id] = { name, sentence },
const struct term phase_terms[PHASE_COUNT] = { PHASE_LIST(X) };
#undef X
#define X(id, name, sentence) [SOURCE_##id] = { name, sentence },
const struct term source_terms[SOURCE_COUNT] = { SOURCE_LIST(X) };
#undef X
#define X(id, name, memory, phase, start, end) [CLASS_##id] = { name, memory, PH_##phase, start, end },
const struct class_info class_infos[CLASS_COUNT] = { CLASS_LIST(X) };
#undef X
