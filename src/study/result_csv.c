/* src/study/result_csv.c - a result as comma-separated values, for spreadsheets and statistics programs. */
#include <inttypes.h>
#include <string.h>

#include "src/study/metric.h"
#include "src/study/result_json.h"

void csv_cell(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Columns that any class fills, in the order of the dictionary. Of a memory class the phases are the hardware parts:
 * they stand there once. */
struct columns { bool phase[PHASE_COUNT], part[PART_COUNT]; };

static struct columns columns_of(const struct account *account)
{
    struct columns used;
    memset(&used, 0, sizeof used);
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        const struct class_stats *s = account_stats(account, (enum class_id)c);
        if (!s || s->latency.count == 0)
            continue;
        for (unsigned i = 0; i < PHASE_COUNT && !class_infos[c].memory; i++)
            used.phase[i] |= s->phase_sum_ps[i] > 0;
        for (unsigned i = 0; i < PART_COUNT; i++)
            used.part[i] |= s->hardware_sum_ps[i] > 0;
    }
    return used;
}

static void put_ns(FILE *out, uint64_t ps)
{
    char text[32];
    fprintf(out, ",%s", ns_text(ps, text));
}

static void put_row(FILE *out, enum class_id class, const char *source, const struct class_stats *s,
                    const struct columns *used)
{
    static const uint32_t permille10[] = { 5000, 9000, 9900, 9990 };
    const struct hist *h = &s->latency;
    fprintf(out, "%s,%s,%" PRIu64 ",%" PRIu64, class_infos[class].name, source, h->count, h->sum_ps);
    put_ns(out, h->min_ps);
    put_ns(out, mean_round(h->sum_ps, h->count));
    for (unsigned i = 0; i < 4; i++)
        put_ns(out, hist_percentile_ps(h, permille10[i]));
    put_ns(out, h->max_ps);
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        if (used->phase[i])
            class_infos[class].memory ? (void)fputc(',', out) : put_ns(out, mean_round(s->phase_sum_ps[i], h->count));
    for (unsigned i = 0; i < PART_COUNT; i++)
        if (used->part[i])
            put_ns(out, mean_round(s->hardware_sum_ps[i], h->count));
    fputc('\n', out);
}

void result_csv_write(FILE *out, const struct result *r)
{
    struct columns used = columns_of(r->account);
    fputs("class,source,count,sum_ps,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns", out);
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        if (used.phase[i])
            fprintf(out, ",phases.%s_ns", phase_terms[i].name);
    for (unsigned i = 0; i < PART_COUNT; i++)
        if (used.part[i])
            fprintf(out, ",hardware.%s_ns", part_terms[i].name);
    fputc('\n', out);
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        const struct class_stats *s = account_stats(r->account, (enum class_id)c);
        if (!s || s->latency.count == 0)
            continue;
        put_row(out, (enum class_id)c, "all", s, &used);
        for (unsigned i = 0; i < SOURCE_COUNT; i++) {
            const struct class_stats *part = account_source_stats(r->account, (enum class_id)c, (enum source_id)i);
            if (part && part->latency.count > 0)
                put_row(out, (enum class_id)c, source_terms[i].name, part, &used);
        }
    }
}
