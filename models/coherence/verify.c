/* models/coherence/verify.c - the `verify` command's work: explore, tell the result, give the exit status. */
#include "models/coherence/explore.h"

#include "src/base/fail.h"

static void print_unused(FILE *out, const struct protocol *p, const struct row_counts *counts)
{
    for (unsigned c = 0; c < CTL_COUNT; c++)
        for (unsigned s = 0; s < p->table[c].n_states; s++)
            for (unsigned e = 0; e < vocabularies[c].n_events; e++) {
                uint64_t used = c == CTL_CACHE ? counts->cache[s][e] : counts->home[s][e];
                if (p->table[c].row[s][e] != ROW_ILLEGAL && !used && !protocol_may_lack(p, (enum controller)c, s, e))
                    fprintf(out, "  never used: %s, state %s, event %s\n", controller_name(p, (enum controller)c), p->table[c].name[s],
                            vocabularies[c].events[e].name);
            }
}

static void print_head(FILE *out, const struct protocol *p, const struct explore_options *o)
{
    fprintf(out, "%s: %s\n", p->name, p->title);
    fprintf(out, "  %u states and %u rows in the cache, %u states and %u rows in the %s\n", p->table[CTL_CACHE].n_states,
            protocol_row_count(p, CTL_CACHE), p->table[CTL_HOME].n_states, protocol_row_count(p, CTL_HOME),
            controller_name(p, CTL_HOME));
    bool many = o->lines > 1, short_home = many && o->home_ways && o->home_ways < o->lines;
    fputs("Explored with ", out);
    if (o->clusters)
        fprintf(out, "%u clusters of ", o->clusters);
    fprintf(out, "%u cache%s%s, ", o->caches, o->caches == 1 ? "" : "s", o->device ? " and a device" : "");
    if (many)
        fprintf(out, "%u lines, room for %u in a cache and %u in the %s, %u under way per cache, ", o->lines,
                o->cache_ways ? o->cache_ways : o->lines - 1, short_home ? o->home_ways : o->lines, controller_name(p, CTL_HOME),
                o->mshrs ? o->mshrs : 2);
    else
        fputs("one line, ", out);
    fprintf(out, "messages in any order%s:\n", short_home || !o->recalls ? "" :
            o->broadcast ? ",\n  recalls at any time, the home loses track of sharers at any time" :
            o->clusters ? ",\n  any node and the global home give the line up at any time" : ", recalls at any time");
}

static void print_found(FILE *out, const struct explore_result *r)
{
    fprintf(out, "  %llu states, %llu moves, %llu bytes per state\n", (unsigned long long)r->states,
            (unsigned long long)r->transitions, (unsigned long long)(r->bytes / r->states));
    if (r->outcome == EXPLORE_LIMIT)
        fprintf(out, "  %s; no violation up to there, whether every operation can complete is not judged\n"
                     "  %llu of them (%llu.%llu %%) were left by all their moves, all stories of %u moves among them\n",
                r->what, (unsigned long long)r->expanded, (unsigned long long)(r->expanded * 100 / r->states),
                (unsigned long long)(r->expanded * 1000 / r->states % 10), r->complete_depth);
    else if (r->outcome == EXPLORE_PASSED)
        fputs("  no violation, no deadlock; every pending operation can always complete\n", out);
    else
        fprintf(out, "  %s\n", r->what);
    if (r->trace)
        fprintf(out, "Shortest way there:\n%s", r->trace);
}

static int status_of_levels(const struct protocol *p, const struct explore_options *o, const struct explore_result *r,
                            FILE *out)
{
    bool fault;
    unsigned unused = explore_rows(out, p, *o, r, &fault);
    if (!unused)
        fputs("  every row was used on one level or the other\n", out);
    return fault || (unused && !o->max_states) ? EXIT_VIOLATION : EXIT_CLEAN;
}

static int status_of(const struct protocol *p, const struct explore_options *o, const struct explore_result *r, FILE *out)
{
    if (r->outcome == EXPLORE_VIOLATION)
        return EXIT_VIOLATION;
    if (r->outcome == EXPLORE_LIMIT)
        return o->max_states ? EXIT_CLEAN : EXIT_INPUT;
    if (r->outcome != EXPLORE_PASSED)
        return EXIT_STUCK;
    if (o->clusters)
        return status_of_levels(p, o, r, out);
    if (r->unused_rows == 0) {
        fputs("  every row was used\n", out);
        return EXIT_CLEAN;
    }
    bool enough = o->caches >= 3 && o->lines <= 1;
    fprintf(out, "  %u rows were not used%s\n", r->unused_rows,
            enough ? ": a row that can never fire does not belong in the table" : " (some need three caches, one line alone)");
    if (enough)
        print_unused(out, p, &r->counts);
    return enough ? EXIT_VIOLATION : EXIT_CLEAN;
}

int protocol_verify(FILE *out, const struct protocol *p, struct explore_options o, bool with_mutants, uint64_t *states)
{
    print_head(out, p, &o);
    struct explore_result r = explore(p, o);
    print_found(out, &r);
    int status = status_of(p, &o, &r, out);
    if (states)
        *states = r.states;
    explore_result_free(&r);
    if (!with_mutants || status != EXIT_CLEAN || (r.outcome == EXPLORE_LIMIT && !o.clusters))
        return status;
    if (o.clusters)
        fputs("Mutants of the glue: each row without its condition, with every other one, and asking for something else.\n", out);
    else
        fprintf(out, "Mutants: each row deleted, and each row given every other next state%s.\n",
                o.lines > 1 ? "; explored with one line" : "");
    struct mutant_result m = o.clusters ? glue_mutants(out, p, o) : mutants(out, p, o);
    if (states)
        *states += m.states;
    fprintf(out, "  %u mutants: %u break a rule, %u leave rows unused, %u are listed as equivalent, %u survive unexplained\n",
            m.total, m.caught, m.caught_by_coverage, m.equivalent, m.survivors);
    if (m.stale_entries)
        fprintf(out, "  %u entries under `equivalent` are caught: remove them\n", m.stale_entries);
    return m.survivors || m.stale_entries ? EXIT_VIOLATION : EXIT_CLEAN;
}
