/* tests/unit/test_protocol_rig.h - protocols for the coherence tests: the shipped MESI, and a small one to break. */
#ifndef LAB_TESTS_PROTOCOL_RIG_H
#define LAB_TESTS_PROTOCOL_RIG_H

#include <stdlib.h>
#include <string.h>

#include "models/coherence/table.h"
#include "src/config/read.h"

/* One copy at a time, readable and writable. Line numbers are part of the tests. */
static const char *const one_copy_lines[] = {
    /*  1 */ "kind: protocol",
    /*  2 */ "name: one-copy",
    /*  3 */ "title: One copy at a time",
    /*  4 */ "cache:",
    /*  5 */ "  states:",
    /*  6 */ "    I: No copy.",
    /*  7 */ "    M: The only copy.",
    /*  8 */ "    IM: Asked for the copy.",
    /*  9 */ "    MI: Gave the copy back.",
    /* 10 */ "    II: Gave the copy back, but another took it over.",
    /* 11 */ "  rows:",
    /* 12 */ "    - [I, LOAD, IM, [SEND_GETM]]",
    /* 13 */ "    - [I, STORE, IM, [SEND_GETM]]",
    /* 14 */ "    - [M, LOAD, M, [COMPLETE]]",
    /* 15 */ "    - [M, STORE, M, [COMPLETE]]",
    /* 16 */ "    - [M, EVICT, MI, [SEND_PUT]]",
    /* 17 */ "    - [IM, DATA_LAST, M, [TAKE_DATA, COUNT_DATA, SEND_DONE, COMPLETE], the \"only\" way in]",
    /* 18 */ "    - [MI, PUTACK, I, []]",
    /* 19 */ "    - [II, PUTACK, I, []]",
    /* 20 */ "    - [M, FWD_GETM, I, [SEND_DATA_M]]",
    /* 21 */ "    - [MI, FWD_GETM, II, [SEND_DATA_M]]",
    /* 22 */ "  wait:",
    /* 23 */ "    IM: [LOAD, STORE, EVICT]",
    /* 24 */ "    MI: [LOAD, STORE, EVICT]",
    /* 25 */ "    II: [LOAD, STORE, EVICT]",
    /* 26 */ "home:",
    /* 27 */ "  states:",
    /* 28 */ "    DI: No copy.",
    /* 29 */ "    DM: One owner.",
    /* 30 */ "    DB: An owner to be has not said DONE yet.",
    /* 31 */ "  rows:",
    /* 32 */ "    - [DI, GETM, DB, [DATA_M_TO_REQ]]",
    /* 33 */ "    - [DI, PUT_OLD, DI, [PUTACK_TO_REQ]]",
    /* 34 */ "    - [DM, GETM, DB, [FWD_GETM_TO_OWNER]]",
    /* 35 */ "    - [DM, PUT_OWNER, DI, [KEEP_DATA, NO_OWNER, PUTACK_TO_REQ]]",
    /* 36 */ "    - [DM, PUT_OLD, DM, [PUTACK_TO_REQ]]",
    /* 37 */ "    - [DB, DONE, DM, [REQ_IS_OWNER]]",
    /* 38 */ "  wait:",
    /* 39 */ "    DB: [GETM, PUT_OWNER, PUT_OLD]",
};
enum { ONE_COPY_LINES = sizeof one_copy_lines / sizeof *one_copy_lines };

struct rig {
    struct arena *arena;
    struct diag *diag;
    struct protocol *p;       /* NULL if refused */
    char errors[8192];
};

static void rig_text(struct rig *r, const char *text)
{
    r->arena = arena_new();
    r->diag = diag_new();
    struct node *root = read_text(r->arena, r->diag, (struct origin){ "p.yaml", 1, 1 }, text);
    r->p = root ? protocol_load(root, r->diag) : NULL;
    memset(r->errors, 0, sizeof r->errors);
    FILE *out = fmemopen(r->errors, sizeof r->errors - 1, "w");
    diag_print(r->diag, out);
    fclose(out);
}

static void rig_free(struct rig *r)
{
    protocol_free(r->p);
    diag_free(r->diag);
    arena_free(r->arena);
}

/* The small protocol with line `number` replaced (0: none); `with` may hold several lines, or NULL to drop it. */
static inline void rig_one_copy(struct rig *r, unsigned number, const char *with)
{
    char text[8192] = "";
    for (unsigned i = 0; i < ONE_COPY_LINES; i++) {
        const char *line = i + 1 == number ? with : one_copy_lines[i];
        if (line) {
            strcat(text, line);
            strcat(text, "\n");
        }
    }
    rig_text(r, text);
}

/* A shipped protocol by name. */
static inline struct rig rig_shipped(const char *name)
{
    static char text[65536];
    char path[512];
    struct rig r;
    snprintf(path, sizeof path, "%s/configs/protocols/%s.yaml", LABYRINTH_SRCDIR, name);
    FILE *in = fopen(path, "r");
    cr_assert(in, "%s cannot be read", path);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    rig_text(&r, text);
    cr_assert(r.p, "%s", r.errors);
    return r;
}

static inline void rig_mesi(struct rig *r) { *r = rig_shipped("mesi"); }

/* Overwrites one row of a loaded protocol. */
static inline void rig_plant(struct protocol *p, enum controller c, const char *state, const char *event, row_word row)
{
    p->table[c].row[protocol_state(p, c, state)][vocabulary_event(c, event)] = row;
    protocol_finish(p);
}

static inline row_word rig_row(const struct protocol *p, enum controller c, const char *state, const char *event)
{
    return p->table[c].row[protocol_state(p, c, state)][vocabulary_event(c, event)];
}

#endif
