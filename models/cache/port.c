/* models/cache/port.c - mem_port over a cache agent. */
#include "models/cache/port.h"

#include "src/base/fail.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct access access;
    struct device_port *port;
    struct mem_request *request;
    struct job *next_free;
};

struct device_port {
    struct mem_port port;
    struct cache *cache;
    struct cache_env env;
    struct component own;            /* whose operations the accesses are */
    uint16_t agent;
    struct job *jobs, *free_jobs;    /* one per MSHR */
    struct mem_request *head, *tail; /* waiting for one */
    struct path_set nobody;          /* device transactions are born from no hart's path */
};

static void add_delta(struct mem_request *r, const struct path_set *birth, const struct delta *d)
{
    delta_mark(&r->delta, PART_ISSUE, birth->at);
    for (unsigned i = 0; i < PART_COUNT; i++)
        r->delta.ps[i] += d->ps[i];
    r->delta.last = d->last;
}

/* Whole aligned words where possible, bytes at the edges. */
static void report_write(struct device_port *p, paddr a, unsigned bytes, tick now)
{
    const struct observer *o = p->env.observer;
    component_op(&p->own, now, CEV_STORE_FULL, a.v, bytes);
    if (!o || !o->store_visible)
        return;
    for (unsigned i = 0; i < bytes;) {
        paddr at = paddr_plus(a, i);
        unsigned step = at.v % 8 == 0 && bytes - i >= 8 ? 8 : 1;
        o->store_visible(o->self, p->agent, at, step, memory_read(p->env.memory, at, step), now);
        i += step;
    }
}

static void write_now(struct device_port *p, struct mem_request *r, tick now)
{
    const uint8_t *from = (const uint8_t *)r->data;
    for (unsigned i = 0; i < r->bytes; i++)
        memory_write(p->env.memory, paddr_plus(r->addr, i), 1, from[i]);
    cache_wrote(p->cache, paddr_line(r->addr));
    report_write(p, r->addr, r->bytes, now);
}

static void start_waiting(struct device_port *);

static void performed(struct access *a, tick now, enum source_id served_by, const struct path_set *birth,
                      const struct delta *d)
{
    struct job *j = a->owner;
    struct device_port *p = j->port;
    struct mem_request *r = j->request;
    if (r->op == MEM_WRITE) {
        write_now(p, r, now);
    } else {
        memcpy(r->data, cache_performing_sample(p->cache), sizeof r->data);
        component_op(&p->own, now, CEV_READ_ONCE, r->addr.v, r->data[r->addr.v % LINE_BYTES / 8]);
    }
    r->served_by = served_by;
    add_delta(r, birth, d);
    j->next_free = p->free_jobs;
    p->free_jobs = j;
    r->done(r);
    start_waiting(p); /* a job is free now; its MSHR may be in a moment, which the cache then tells us */
}

static bool start(struct device_port *p, struct mem_request *r)
{
    struct job *j = p->free_jobs;
    if (!j)
        return false;
    bool whole = r->bytes == LINE_BYTES;
    j->request = r;
    j->access = (struct access){ .event = r->op == MEM_READ_ONCE ? CEV_READ_ONCE : whole ? CEV_STORE_FULL : CEV_STORE,
                                 .line = paddr_line(r->addr), .no_allocate = true, .parent = &p->nobody,
                                 .perform = performed, .owner = j };
    p->nobody.at = engine_now(p->env.engine);
    if (cache_access(p->cache, &j->access) == ACCESS_NO_MSHR)
        return false;
    p->free_jobs = j->next_free;
    return true;
}

static void start_waiting(struct device_port *p)
{
    while (p->head && start(p, p->head)) {
        p->head = p->head->next;
        if (!p->head)
            p->tail = NULL;
    }
}

static void submit(struct mem_port *mem, struct mem_request *r)
{
    struct device_port *p = mem->self;
    CHECK(r->bytes >= 1 && r->addr.v % LINE_BYTES + r->bytes <= LINE_BYTES, "a device access crosses a line");
    r->next = NULL;
    if (p->tail)
        p->tail->next = r;
    else
        p->head = r;
    p->tail = r;
    start_waiting(p);
}

static void mshr_freed(void *owner, const struct path_set *birth, const struct delta *d)
{
    (void)birth, (void)d;
    start_waiting(owner);
}

static bool port_idle(const struct component *c)
{
    const struct device_port *p = (const struct device_port *)(const void *)((const char *)c - offsetof(struct device_port, own));
    return !p->head;
}

static void port_why_busy(const struct component *c, FILE *out)
{
    const struct device_port *p = (const struct device_port *)(const void *)((const char *)c - offsetof(struct device_port, own));
    if (p->head)
        fprintf(out, "  %s: an access to %#lx waits for an MSHR\n", c->name, (unsigned long)p->head->addr.v);
}

static void port_check(const struct component *c) { (void)c; }

static const struct component_ops ops = { port_idle, port_why_busy, port_check };

struct device_port *device_port_new(struct component_list *list, const char *name, uint16_t agent,
                                    const struct cache_desc *desc, const struct cache_env *env)
{
    struct device_port *p = calloc(1, sizeof *p);
    CHECK_MEMORY(p, "out of host memory for a device port");
    p->env = *env;
    p->agent = agent;
    p->port = (struct mem_port){ submit, p };
    p->jobs = calloc(desc->mshrs, sizeof *p->jobs);
    CHECK_MEMORY(p->jobs, "out of host memory for a device port");
    for (uint32_t i = 0; i < desc->mshrs; i++) {
        p->jobs[i].port = p;
        p->jobs[i].next_free = p->free_jobs;
        p->free_jobs = &p->jobs[i];
    }
    component_register(list, &p->own, name, &ops);
    struct cache_owner owner = { .owner = p, .mshr_freed = mshr_freed };
    p->cache = cache_new(list, name, agent, desc, env, &owner);
    return p;
}

void device_port_free(struct device_port *p)
{
    if (!p)
        return;
    cache_free(p->cache);
    free(p->jobs);
    free(p);
}

struct mem_port *device_port_mem(struct device_port *p) { return &p->port; }
struct cache *device_port_cache(struct device_port *p) { return p->cache; }
