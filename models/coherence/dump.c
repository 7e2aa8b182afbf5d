/* models/coherence/dump.c - a protocol as YAML that loads to the same tables. */
#include "models/coherence/table.h"

static void quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if (*text == '\n')
            fputs("\\n", out);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void dump_row(FILE *out, const struct protocol *p, enum controller c, unsigned s, unsigned e)
{
    const struct state_table *t = &p->table[c];
    row_word w = t->row[s][e];
    fprintf(out, "    - [%s, %s, %s, [", t->name[s], vocabularies[c].events[e].name, t->name[row_next(w)]);
    for (uint64_t a = row_actions(w); a; a >>= 8)
        fprintf(out, "%s%s", vocabularies[c].actions[a & 0xff].name, a >> 8 ? ", " : "");
    fputs("]", out);
    if (t->why[s][e]) {
        fputs(", ", out);
        quoted(out, t->why[s][e]);
    }
    fputs("]\n", out);
}

static void dump_waits(FILE *out, const struct protocol *p, enum controller c, unsigned s)
{
    bool any = false;
    for (unsigned e = 0; e < vocabularies[c].n_events; e++)
        if (p->table[c].row[s][e] == ROW_WAIT) {
            if (!any)
                fprintf(out, "    %s: [", p->table[c].name[s]);
            fprintf(out, "%s%s", any ? ", " : "", vocabularies[c].events[e].name);
            any = true;
        }
    if (any)
        fputs("]\n", out);
}

static void dump_controller(FILE *out, const struct protocol *p, enum controller c)
{
    const struct state_table *t = &p->table[c];
    fprintf(out, "%s:\n  states:\n", controller_name(p, c));
    for (unsigned s = 0; s < t->n_states; s++) {
        fprintf(out, "    %s: ", t->name[s]);
        quoted(out, t->sentence[s]);
        fputc('\n', out);
    }
    fputs("  rows:\n", out);
    for (unsigned s = 0; s < t->n_states; s++)
        for (unsigned e = 0; e < vocabularies[c].n_events; e++)
            if (row_verdict(t->row[s][e]) == STEP_DONE)
                dump_row(out, p, c, s, e);
    if ((c == CTL_CACHE ? p->cache_stable : p->home_stable) == UINT32_MAX >> (32 - t->n_states))
        return;
    fputs("  wait:\n", out);
    for (unsigned s = 0; s < t->n_states; s++)
        dump_waits(out, p, c, s);
}

static void dump_equivalent(FILE *out, const struct protocol *p, const struct equivalent *e)
{
    const struct state_table *t = &p->table[e->controller];
    fprintf(out, "  - [%s, %s, %s, %s, ", controller_name(p, e->controller), t->name[e->state],
            vocabularies[e->controller].events[e->event].name, e->next < 0 ? "delete" : t->name[e->next]);
    quoted(out, e->reason);
    fputs("]\n", out);
}

void protocol_dump(FILE *out, const struct protocol *p)
{
    fprintf(out, "kind: protocol\nname: %s\ntitle: ", p->name);
    quoted(out, p->title);
    fputs("\ntext: ", out);
    quoted(out, p->text);
    fputc('\n', out);
    if (p->family != FAMILY_DIRECTORY)
        fprintf(out, "family: %s\n", family_names[p->family]);
    for (unsigned c = 0; c < CTL_COUNT; c++)
        dump_controller(out, p, (enum controller)c);
    if (p->n_equivalent)
        fputs("equivalent:\n", out);
    for (size_t i = 0; i < p->n_equivalent; i++)
        dump_equivalent(out, p, &p->equivalent[i]);
}
