/* src/sim/backdoor.h - the simulator's back door: simulated memory without simulated time (calls: src/sim/hart.h).
 * A native backend has one of its own.
 */
#ifndef LAB_SIM_BACKDOOR_H
#define LAB_SIM_BACKDOOR_H

#include "src/sim/hart.h"
#include "src/sim/memory.h"

struct backdoor {
    struct memory *memory;
};

#endif
