/* src/work/script_op.c - operations as text, and drawing them at random. */
#include "src/work/script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/suggest.h"
#include "src/work/private.h"

struct operand { char letter; const char *label; uint32_t most; };
static const struct operand operands[] = {
    { 'l', "line", SCRIPT_LINES_MAX - 1 }, { 'b', "byte", LINE_BYTES - 1 }, { 's', "size", 8 }, { 'c', "cycles", 1000000 },
    { 'n', "ns", 1000000 }, { 'p', "page", SCRIPT_PAGES_MAX - 1 }, { 'g', "parts", GRANT_ALL }, { 'o', "order", SCRIPT_ORDER_MAX },
    { 'k', "count", 64 },
};

static const struct { const char *name, *operands; enum script_place place; } kinds[SCRIPT_KINDS] = {
#define X(id, name, place, operands, sentence) { name, operands, place },
    SCRIPT_LIST(X)
#undef X
};

static const struct operand *operand_of(char letter)
{
    for (size_t i = 0; i < sizeof operands / sizeof *operands; i++)
        if (operands[i].letter == letter)
            return &operands[i];
    panic("no operand '%c'", letter);
}

bool script_is_wait(const struct script_op *op) { return op->kind == SCRIPT_WAIT || op->kind == SCRIPT_PAUSE; }

void script_print(FILE *out, const struct script_op *op)
{
    fputs(kinds[op->kind].name, out);
    for (unsigned i = 0; kinds[op->kind].operands[i]; i++)
        fprintf(out, " %s %" PRIu32, operand_of(kinds[op->kind].operands[i])->label, op->arg[i]);
}

/* ---- reading */

static bool unknown(const char *word, enum script_place place, char *what, size_t size)
{
    const char *names[SCRIPT_KINDS];
    size_t n = 0;
    for (unsigned k = 0; k < SCRIPT_KINDS; k++)
        if (kinds[k].place == place)
            names[n++] = kinds[k].name;
    const char *near = suggest_nearest(word, names, n);
    snprintf(what, size, "\"%.40s\" is no operation of a %s%s%s%s", word, place == ON_HART ? "hart" : "device",
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return false;
}

static bool misfit(const struct script_op *op, char *what, size_t size)
{
    const char *sizes = strchr(kinds[op->kind].operands, 's');
    if (sizes) {
        uint32_t bytes = op->arg[2];
        if ((bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) || op->arg[1] % bytes) {
            snprintf(what, size, "size is 1, 2, 4 or 8, and byte a multiple of it");
            return true;
        }
    }
    if ((op->kind == SCRIPT_DMA_READ || op->kind == SCRIPT_DMA_WRITE) && (op->arg[1] == 0 || op->arg[0] + op->arg[1] > SCRIPT_LINES_MAX)) {
        snprintf(what, size, "line plus count is at most %u, and count at least 1", (unsigned)SCRIPT_LINES_MAX);
        return true;
    }
    if (strchr(kinds[op->kind].operands, 'p') && strchr(kinds[op->kind].operands, 'l') && op->arg[1] >= LINES_PER_PAGE) {
        snprintf(what, size, "a page has lines 0 to %u", (unsigned)LINES_PER_PAGE - 1);
        return true;
    }
    return false;
}

static bool parse_operands(char **rest, struct script_op *op, char *what, size_t size)
{
    for (unsigned i = 0; kinds[op->kind].operands[i]; i++) {
        const struct operand *wanted = operand_of(kinds[op->kind].operands[i]);
        char *label = strtok_r(NULL, " \t", rest), *number = strtok_r(NULL, " \t", rest), *end = NULL;
        unsigned long value = number && *number >= '0' && *number <= '9' ? strtoul(number, &end, 10) : 0;
        if (!label || strcmp(label, wanted->label) != 0 || !end || *end || value > wanted->most) {
            snprintf(what, size, "%s wants \"%s\" and a number from 0 to %" PRIu32, kinds[op->kind].name, wanted->label, wanted->most);
            return false;
        }
        op->arg[i] = (uint32_t)value;
    }
    const char *more = strtok_r(NULL, " \t", rest);
    if (more)
        snprintf(what, size, "\"%.40s\" is too much", more);
    return !more && !misfit(op, what, size);
}

bool script_parse(const char *text, enum script_place place, struct script_op *op, char *what, size_t size)
{
    char copy[120], *rest = NULL;
    if (strlen(text) >= sizeof copy)
        return snprintf(what, size, "an operation is a short line"), false;
    snprintf(copy, sizeof copy, "%s", text);
    const char *name = strtok_r(copy, " \t", &rest);
    if (!name)
        return snprintf(what, size, "nothing is there"), false;
    *op = (struct script_op){ 0 };
    for (unsigned k = 0; k < SCRIPT_KINDS; k++)
        if (kinds[k].place == place && strcmp(kinds[k].name, name) == 0) {
            op->kind = (uint8_t)k;
            return parse_operands(&rest, op, what, size);
        }
    return unknown(name, place, what, size);
}

/* ---- drawing */

enum { WAIT_CYCLES = 200, PAUSE_NS = 2000, DMA_LINES_MAX = 4 };

static uint32_t below(struct rng *r, uint32_t n) { return (uint32_t)rng_below(r, n); }

static void draw_access(struct rng *r, const struct script_mix *mix, enum script_kind kind, struct script_op *op)
{
    uint32_t bytes = 1u << below(r, 4);
    *op = (struct script_op){ (uint8_t)kind, { below(r, mix->lines), below(r, LINE_BYTES / bytes) * bytes, bytes } };
}

static void draw_line(struct rng *r, const struct script_mix *mix, enum script_kind kind, struct script_op *op)
{
    *op = (struct script_op){ (uint8_t)kind, { below(r, mix->lines) } };
}

/* Grants are what it is about; users' accesses come in bursts of one line each. */
static void draw_page(struct rng *r, const struct script_mix *mix, struct script_op *op)
{
    uint32_t page = below(r, mix->pages), draw = below(r, 100);
    if (draw < 20)
        *op = (struct script_op){ SCRIPT_ALLOC, { page } };
    else if (draw < 28)
        *op = (struct script_op){ SCRIPT_GRANT, { page, 1 + below(r, GRANT_ALL) } };
    else if (draw < 32)
        *op = (struct script_op){ SCRIPT_DROP, { page } };
    else if (draw < 55)
        *op = (struct script_op){ SCRIPT_USER_LOAD, { page, below(r, LINES_PER_PAGE) } };
    else if (draw < 80)
        *op = (struct script_op){ SCRIPT_USER_STORE, { page, below(r, LINES_PER_PAGE) } };
    else if (draw < 90)
        *op = (struct script_op){ SCRIPT_GET, { below(r, SCRIPT_ORDER_MAX + 1) } };
    else
        *op = (struct script_op){ .kind = SCRIPT_PUT };
}

static void draw_hart(struct rng *r, const struct script_mix *mix, struct script_op *op)
{
    static const enum script_kind atomics[] = { SCRIPT_SWAP, SCRIPT_ADD, SCRIPT_CAS };
    uint32_t draw = below(r, PERMYRIAD), limit = 0;
    unsigned share = 0;
    while (share < SCRIPT_SHARES && draw >= (limit += mix->share[share]))
        share++;
    switch (share) {
    case SHARE_OF_loads: draw_access(r, mix, SCRIPT_LOAD, op); break;
    case SHARE_OF_atomics: draw_access(r, mix, atomics[below(r, 3)], op); break;
    case SHARE_OF_flushes: draw_line(r, mix, below(r, 2) ? SCRIPT_FLUSH : SCRIPT_FLUSH_OPT, op); break;
    case SHARE_OF_fences: *op = (struct script_op){ .kind = (uint8_t)(SCRIPT_FENCE + below(r, 3)) }; break;
    case SHARE_OF_string_stores: draw_line(r, mix, SCRIPT_STORE_LINE, op); break;
    case SHARE_OF_nt_stores: draw_access(r, mix, SCRIPT_STORE_NT, op); break;
    case SHARE_OF_prefetches: draw_line(r, mix, SCRIPT_PREFETCH, op); break;
    case SHARE_OF_waits: *op = (struct script_op){ SCRIPT_WAIT, { below(r, WAIT_CYCLES) } }; break;
    case SHARE_OF_page_operations: draw_page(r, mix, op); break;
    default: draw_access(r, mix, SCRIPT_STORE, op); break;
    }
}

static void draw_device(struct rng *r, const struct script_mix *mix, struct script_op *op)
{
    uint32_t draw = below(r, 100), most = mix->lines < DMA_LINES_MAX ? mix->lines : DMA_LINES_MAX;
    if (draw < 10) {
        *op = (struct script_op){ SCRIPT_PAUSE, { below(r, PAUSE_NS) } };
    } else if (draw < 50 && mix->pages) {
        *op = (struct script_op){ (uint8_t)(draw < 30 ? SCRIPT_PAGE_READ : SCRIPT_PAGE_WRITE),
                                  { below(r, mix->pages), below(r, LINES_PER_PAGE) } };
    } else {
        uint32_t count = 1 + below(r, most);
        *op = (struct script_op){ (uint8_t)(draw % 2 ? SCRIPT_DMA_READ : SCRIPT_DMA_WRITE), { below(r, mix->lines - count + 1), count } };
    }
}

void script_draw(struct rng *r, const struct script_mix *mix, enum script_place place, struct script_op *op)
{
    (place == ON_HART ? draw_hart : draw_device)(r, mix, op);
}
