/* src/cli/debug.h - --debug TOPICS: what happens, line by line on standard error while a run goes on. */
#ifndef LAB_CLI_DEBUG_H
#define LAB_CLI_DEBUG_H

#include "src/machine/watch.h"

struct debug {
    struct machine *machine;
    bool any, protocol, net, class[CLASS_COUNT];
};

/* "alloc,net": adds topics, or fail_user with the nearest name. */
void debug_topics(struct debug *, const char *text);
void debug_watch(struct debug *, struct machine *); /* before the run; nothing if there are no topics */

#endif
