/* src/machine/watch.c - hands what accounts, history and network report to everyone who looks on. */
#include "src/machine/private.h"

#include "src/base/fail.h"

#include <string.h>

static void each_request(void *arg, uint32_t actor, enum class_id class, tick start, tick end)
{
    struct machine *m = arg;
    struct seen_request seen = { actor, class, start, end };
    for (unsigned i = 0; i < m->watcher_count; i++)
        if (m->watchers[i].request)
            m->watchers[i].request(m->watchers[i].self, &seen);
}

static void each_transition(void *arg, const struct history_entry *e)
{
    struct machine *m = arg;
    for (unsigned i = 0; i < m->watcher_count; i++)
        if (m->watchers[i].transition)
            m->watchers[i].transition(m->watchers[i].self, e);
}

static void each_message(void *arg, const struct msg *msg, uint64_t serial, tick sent, bool delivered)
{
    struct machine *m = arg;
    struct seen_message seen = { msg, serial, sent, engine_now(m->engine), delivered };
    for (unsigned i = 0; i < m->watcher_count; i++)
        if (m->watchers[i].message)
            m->watchers[i].message(m->watchers[i].self, &seen);
}

void machine_watch(struct machine *m, struct watcher w)
{
    CHECK(m->watcher_count < WATCHERS_MAX, "more than %d watchers", WATCHERS_MAX);
    m->watchers[m->watcher_count++] = w;
}

void watch_start(struct machine *m)
{
    if (!m->watcher_count)
        return;
    account_tap(m->account, each_request, m);
    history_tap(m->history, each_transition, m);
    net_tap(m->net, each_message, m);
}

void watch_stop(struct machine *m)
{
    account_tap(m->account, NULL, NULL);
    history_tap(m->history, NULL, NULL);
    net_tap(m->net, NULL, NULL);
    m->watcher_count = 0;
}

const char *machine_node_name(struct machine *m, unsigned node)
{
    if (!m->node_names) {
        m->node_names = ARENA_ARRAY(m->late, const char *, m->desc.net.nodes);
        for (unsigned i = 0; i < m->desc.net.nodes; i++)
            m->node_names[i] = machine_agent_name(m, i);
    }
    return node < m->desc.net.nodes ? m->node_names[node] : "nobody";
}

const char *part_name(const char *who, char name[PART_NAME_MAX])
{
    const char *dot = strrchr(who, '.');
    bool cut = dot && (strcmp(dot, ".cache") == 0 || strcmp(dot, ".port") == 0);
    snprintf(name, PART_NAME_MAX, "%.*s", cut ? (int)(dot - who) : PART_NAME_MAX - 1, who);
    return name;
}

bool is_translation_message(const struct msg *m) { return m->kind == MSG_TLB_INVALIDATE || m->kind == MSG_TLB_ACK; }
