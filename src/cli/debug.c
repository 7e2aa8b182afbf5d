/* src/cli/debug.c - --debug TOPICS: what happens, line by line on standard error while a run goes on. */
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/debug.h"

/* Topics that are requests: the classes whose names begin so. */
static const struct { const char *topic, *begins[3]; } requests[] = {
    { "memory", { "load", "store", "atomic" } }, { "alloc", { "alloc.", "free" } }, { "grant", { "exclusive.", "page." } },
    { "lock", { "lock." } }, { "tlb", { "tlb." } }, { "iommu", { "iommu.", "dma.map", "dma.unmap" } },
    { "dma", { "dma.read", "dma.write" } },
};
enum { REQUEST_TOPICS = sizeof requests / sizeof *requests };

static void add_classes(struct debug *d, size_t topic)
{
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        for (unsigned i = 0; i < 3 && requests[topic].begins[i]; i++)
            d->class[c] |= strncmp(class_infos[c].name, requests[topic].begins[i], strlen(requests[topic].begins[i])) == 0;
}

static void add_topic(struct debug *d, const char *topic)
{
    const char *known[REQUEST_TOPICS + 3];
    bool all = strcmp(topic, "all") == 0, found = all || strcmp(topic, "protocol") == 0 || strcmp(topic, "net") == 0;
    d->protocol |= all || strcmp(topic, "protocol") == 0;
    d->net |= all || strcmp(topic, "net") == 0;
    for (size_t i = 0; i < REQUEST_TOPICS; i++) {
        known[i] = requests[i].topic;
        if (all || strcmp(topic, requests[i].topic) == 0) {
            add_classes(d, i);
            found = true;
        }
    }
    known[REQUEST_TOPICS] = "protocol";
    known[REQUEST_TOPICS + 1] = "net";
    known[REQUEST_TOPICS + 2] = "all";
    if (!found)
        fail_unknown("topic of --debug", topic, known, REQUEST_TOPICS + 3);
    d->any = true;
}

void debug_topics(struct debug *d, const char *text)
{
    char *copy = strdup(text);
    CHECK_MEMORY(copy, "out of memory");
    for (char *topic = strtok(copy, ","); topic; topic = strtok(NULL, ","))
        add_topic(d, topic);
    free(copy);
    if (!d->any)
        fail_user("--debug: no topic is given; wanted: protocol,net,alloc for example");
}

static void saw_request(void *self, const struct seen_request *r)
{
    struct debug *d = self;
    if (!d->class[r->class])
        return;
    print_no_address(stderr);
    print_request(stderr, d->machine, r);
}

static void saw_transition(void *self, const struct history_entry *e)
{
    struct debug *d = self;
    print_address(stderr, e->line);
    print_transition(stderr, d->machine, e);
}

static void saw_message(void *self, const struct seen_message *s)
{
    struct debug *d = self;
    print_message_address(stderr, s->msg);
    print_message(stderr, d->machine, s);
}

void debug_watch(struct debug *d, struct machine *m)
{
    d->machine = m;
    if (d->any)
        machine_watch(m, (struct watcher){ d, saw_request, d->protocol ? saw_transition : NULL, d->net ? saw_message : NULL });
}
