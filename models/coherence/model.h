/* models/coherence/model.h - what the search must know about an explored system: its states packed into words of 64
 * bits, the moves out of a state, and the judgement of each. Private to the explorer.
 *
 * world.h is one line between caches and a home, lines.h several of them. A world is a plain struct that may be copied byte by byte; two
 * worlds pack alike exactly if they differ only by names that do not matter.
 */
#ifndef LAB_MODELS_COHERENCE_MODEL_H
#define LAB_MODELS_COHERENCE_MODEL_H

#include "models/coherence/explore.h"

enum { KEY_WORDS_MAX = 16, MODEL_MOVES_MAX = 160, WORLD_BYTES_MAX = 4096 };

enum move_kind { MOVE_DELIVER, MOVE_CORE, MOVE_OWN /* of the home */ };
struct move {
    uint8_t kind;       /* enum move_kind */
    uint8_t index;      /* message or agent */
    uint8_t event;
    uint8_t line;       /* of several; levels.h: which message list, cluster or home */
    bool onward;        /* carries on what has begun: progress is judged by these alone */
};

enum fired {
    FIRED_CHANGED,  /* `to` is the successor; otherwise `to` means nothing */
    FIRED_NOTHING,  /* waits, or a hit that changes nothing */
    FIRED_FAULT     /* model.fault says what was broken */
};

struct model;
struct model_ops {
    size_t world_bytes;
    void (*first)(const struct model *, void *world);
    void (*pack)(const struct model *, const void *world, uint64_t *key);
    void (*unpack)(const struct model *, const uint64_t *key, void *world);
    unsigned (*moves)(const struct model *, const void *world, struct move moves[MODEL_MOVES_MAX]); /* onward first */
    enum fired (*fire)(struct model *, const void *from, struct move, void *to);
    bool (*quiet)(const struct model *, const void *world); /* nothing in flight, nothing pending, all stable */
    bool (*silent)(const struct model *, const void *world); /* no message in flight */
    bool (*agrees)(struct model *, const void *world); /* false: the quiet world is not in order, fault says why */
    /* One line of the counter-example. After a fault `to` is as far as the move came. */
    void (*print_move)(FILE *, struct model *, const void *from, struct move, const void *to);
};

struct model {
    const struct model_ops *ops;
    unsigned key_words;             /* 1 .. KEY_WORDS_MAX */
    struct row_counts *counts;      /* NULL: not counted */
    char fault[EXPLORE_TEXT_BYTES];
};

/* Room for any world. */
union world_room { uint64_t align; unsigned char bytes[WORLD_BYTES_MAX]; };

#endif
