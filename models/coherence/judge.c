/* models/coherence/judge.c - what the explorer demands of one cache's step. */
#include "models/coherence/judge.h"

#include <stdarg.h>

enum fired model_fault(struct model *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(m->fault, sizeof m->fault, format, args);
    va_end(args);
    return FIRED_FAULT;
}

enum fired judge_no_row(struct model *m, const struct protocol *p, const char *who, enum controller c, uint8_t state,
                        unsigned event)
{
    return model_fault(m, "%s has no row for state %s, event %s", who, p->table[c].name[state],
                       event < vocabularies[c].n_events ? vocabularies[c].events[event].name : "(message it cannot take)");
}

const uint8_t judge_pending[CEV_READ_ONCE + 1] = {
    [CEV_LOAD] = PENDING_LOAD, [CEV_STORE] = PENDING_STORE, [CEV_STORE_FULL] = PENDING_STORE_FULL,
    [CEV_FLUSH] = PENDING_FLUSH, [CEV_EVICT] = PENDING_NONE, [CEV_READ_ONCE] = PENDING_READ_ONCE,
};

enum fired judge_perform(struct model *m, const struct protocol *p, const char *who, const struct cache_line *line, uint8_t what,
                         const struct msg *in)
{
    bool current = line->version == 1;
    switch ((enum pending)what) {
    case PENDING_NONE: return model_fault(m, "%s completes an operation that nobody began", who);
    case PENDING_LOAD: return current ? FIRED_CHANGED : model_fault(m, "%s loads stale data", who);
    case PENDING_READ_ONCE: /* a value brought was judged where it was sent */
        if (in ? !msg_infos[in->kind].data : !current)
            return model_fault(m, "%s reads %s once", who, in ? "without data" : "stale data");
        return FIRED_CHANGED;
    case PENDING_STORE:
    case PENDING_STORE_FULL:
        if (what == PENDING_STORE && !current)
            return model_fault(m, "%s stores into a line whose other bytes are stale", who);
        if (!cache_writable(p, line->state))
            return model_fault(m, "%s stores without owning the line", who);
        return FIRED_CHANGED;
    case PENDING_FLUSH:
    case PENDING_FLUSHED: return FIRED_CHANGED; /* judged when the whole move is known */
    }
    return FIRED_CHANGED;
}

enum fired judge_begun(struct model *m, const struct protocol *p, const char *who, const struct cache_line *line,
                       uint8_t *pending, unsigned event)
{
    const char *what = vocabularies[CTL_CACHE].events[event].name;
    if (event == CEV_EVICT)
        return cache_readable(p, line->state) ? model_fault(m, "%s evicts the line but keeps its copy", who) : FIRED_CHANGED;
    if (cache_stable(p, line->state))
        return model_fault(m, "%s forgets its %s", who, what);
    if (*pending != PENDING_NONE)
        return model_fault(m, "%s begins %s under another operation", who, what);
    *pending = judge_pending[event];
    return FIRED_CHANGED;
}

enum fired judge_answered(struct model *m, const struct protocol *p, const char *who, const struct cache_line *line,
                          uint8_t pending)
{
    if (cache_stable(p, line->state) && pending != PENDING_NONE)
        return model_fault(m, "%s is at rest but its operation was not performed", who);
    return FIRED_CHANGED;
}

enum fired judge_acks(struct model *m, const struct protocol *p, const char *who, const struct cache_line *line, unsigned agents)
{
    int acks = line->acks;
    if (acks < -(int)agents || acks > (int)agents || (acks && cache_stable(p, line->state)))
        return model_fault(m, "%s has lost count of its acknowledgements", who);
    return FIRED_CHANGED;
}

/* ---- where data matters */

static bool reads_or_sends(row_word w, unsigned event)
{
    bool reads = event == CEV_LOAD || event == CEV_STORE || event == CEV_READ_ONCE;
    if (row_verdict(w) != STEP_DONE)
        return false;
    for (uint64_t a = row_actions(w); a; a >>= 8) {
        unsigned code = a & 0xff;
        int kind = vocabularies[CTL_CACHE].actions[code].sends;
        if (code == CACT_TAKE_DATA)
            return false;
        if ((code == CACT_COMPLETE && reads) || (kind != NO_MESSAGE && msg_infos[kind].data))
            return true;
    }
    return false;
}

static bool home_uses(row_word w)
{
    for (uint64_t a = row_verdict(w) == STEP_DONE ? row_actions(w) : 0; a; a >>= 8) {
        unsigned code = a & 0xff;
        int kind = vocabularies[CTL_HOME].actions[code].sends;
        if (code == HACT_KEEP_DATA)
            return false;
        if (code == HACT_FLUSH_MEMORY || code == HACT_RECALLED || code == HACT_DEMOTED || (kind != NO_MESSAGE && msg_infos[kind].data))
            return true;
    }
    return false;
}

static bool has_action(row_word w, unsigned action)
{
    for (uint64_t a = row_actions(w); a; a >>= 8)
        if ((a & 0xff) == action)
            return true;
    return false;
}

uint32_t judge_states_with_data(const struct protocol *p, enum controller c)
{
    const struct state_table *t = &p->table[c];
    unsigned taking = c == CTL_CACHE ? (unsigned)CACT_TAKE_DATA : (unsigned)HACT_KEEP_DATA;
    uint32_t holds = 0;
    for (uint32_t before = ~0u; before != holds;) {
        before = holds;
        for (unsigned s = 0; s < t->n_states; s++)
            for (unsigned e = 0; e < vocabularies[c].n_events; e++) {
                row_word w = t->row[s][e];
                bool grant = c == CTL_CACHE && vocabularies[c].events[e].kind == MSG_GRANT;
                bool uses = c == CTL_CACHE ? reads_or_sends(w, e) : home_uses(w);
                bool passes = row_verdict(w) == STEP_DONE && !grant && !has_action(w, taking) && holds >> row_next(w) & 1;
                if (uses || passes)
                    holds |= 1u << s;
            }
    }
    return holds;
}
