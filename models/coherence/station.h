/* models/coherence/station.h - the service queue in front of a home or a cluster's node. Private to the folder.
 *
 * One message at a time: it starts when its forerunner's occupancy is over and acts lookup_ps later, but never
 * before its forerunner. Marks the message's
 * delta: network until arrival, home_wait until the start, home until it acts.
 */
#ifndef LAB_MODELS_COHERENCE_STATION_H
#define LAB_MODELS_COHERENCE_STATION_H

#include "models/msg.h"
#include "src/sim/engine.h"

struct station_desc {
    tick lookup_ps;                /* from start of service to action */
    tick response_lookup_ps;       /* the same for a response, whose place is known */
    tick occupancy_ps;             /* of a request, put or forward */
    tick response_occupancy_ps;    /* of a response */
};

struct station {
    struct engine *engine;
    struct component *component;   /* whose events these are */
    struct station_desc desc;
    void (*act)(void *owner, struct msg *);
    void *owner;
    struct service { struct msg msg; tick start, act; } *fifo;
    uint32_t head, count, cap;
    tick free_at, last_act;
    struct event event;
};

void station_init(struct station *, struct engine *, struct component *, const struct station_desc *,
                  void (*act)(void *owner, struct msg *), void *owner);
void station_free(struct station *);
void station_push(struct station *, struct msg *);

static inline bool msg_is_response(const struct msg *m) { return msg_infos[m->kind].vnet == VNET_RESPONSE; }

#endif
