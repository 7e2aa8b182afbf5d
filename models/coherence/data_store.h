/* models/coherence/data_store.h - the data of a last level whose directory stands alone (non-inclusive, victim). Private to
 * the folder. Places with a version each; which copies exist elsewhere is the directory's business.
 */
#ifndef LAB_MODELS_COHERENCE_DATA_STORE_H
#define LAB_MODELS_COHERENCE_DATA_STORE_H

#include "models/coherence/slots.h"

struct stored { lineno line; uint32_t version; bool dirty; /* newer than DRAM */ };

struct data_store {
    struct slots at;
    uint32_t *version;            /* by slot */
    bool *dirty;
};

void data_store_init(struct data_store *, const char *name, uint32_t sets, uint32_t ways);
void data_store_free(struct data_store *);
uint64_t data_store_host_bytes(const struct data_store *);
void data_store_touch(struct data_store *, lineno);                      /* used now, if it is here */
bool data_store_find(const struct data_store *, lineno, struct stored *); /* a look: the order of use stays */
/* Puts the line there, newest used. True: `victim` had to leave for it. */
bool data_store_put(struct data_store *, struct stored, struct stored *victim);
bool data_store_take(struct data_store *, lineno, struct stored *);       /* out of it; false: it is not here */

#endif
