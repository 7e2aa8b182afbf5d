/* models/coherence/data_store.c - the data of a last level whose directory stands alone. */
#include "models/coherence/data_store.h"

#include "src/base/fail.h"

#include <stdlib.h>

void data_store_init(struct data_store *s, const char *name, uint32_t sets, uint32_t ways)
{
    size_t n = (size_t)sets * ways;
    slots_init(&s->at, name, sets, ways, 0);
    s->version = calloc(n, sizeof *s->version);
    s->dirty = calloc(n, sizeof *s->dirty);
    CHECK_MEMORY(s->version && s->dirty, "%s: out of host memory for %zu lines", name, n);
}

void data_store_free(struct data_store *s)
{
    slots_free(&s->at);
    free(s->version);
    free(s->dirty);
}

uint64_t data_store_host_bytes(const struct data_store *s)
{
    return slots_host_bytes(&s->at) + (uint64_t)s->at.sets * s->at.ways * (sizeof *s->version + sizeof *s->dirty);
}

static struct stored at(const struct data_store *s, int64_t slot)
{
    return (struct stored){ slots_line(&s->at, slot), s->version[slot], s->dirty[slot] };
}

void data_store_touch(struct data_store *s, lineno line)
{
    int64_t slot = slots_find(&s->at, line);
    if (slot != NO_SLOT)
        slots_touch(&s->at, slot);
}

bool data_store_find(const struct data_store *s, lineno line, struct stored *found)
{
    int64_t slot = slots_find(&s->at, line);
    if (slot != NO_SLOT)
        *found = at(s, slot);
    return slot != NO_SLOT;
}

static unsigned any(const void *arg, int64_t slot)
{
    (void)arg;
    (void)slot;
    return 1;
}

bool data_store_put(struct data_store *s, struct stored new, struct stored *victim)
{
    int64_t slot = slots_find(&s->at, new.line);
    bool leaves = false;
    if (slot == NO_SLOT) {
        slot = slots_victim(&s->at, new.line, any, NULL);
        leaves = !slots_empty(&s->at, slot);
        if (leaves)
            *victim = at(s, slot);
    }
    s->at.tag[slot] = new.line.v + 1;
    s->version[slot] = new.version;
    s->dirty[slot] = new.dirty;
    slots_touch(&s->at, slot);
    return leaves;
}

bool data_store_take(struct data_store *s, lineno line, struct stored *taken)
{
    int64_t slot = slots_find(&s->at, line);
    if (slot == NO_SLOT)
        return false;
    *taken = at(s, slot);
    s->at.tag[slot] = 0;
    return true;
}
