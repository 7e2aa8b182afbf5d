/* src/kern/gfp.c - names and values of allocation flags. */
#include "src/kern/gfp.h"

#include "src/base/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bits have not moved from v5.15 to v6.16 (___GFP_ACCOUNT 0x400000 is the last that is modelled); what changed is
 * which names exist and what the compositions hold. A version that moves a bit gets its value in gfp_value. */
static const struct gfp_name {
    const char *name;
    gfp_t flags;
    bool composed;
} names[] = {
    { "HIGHUSER_MOVABLE", GFP_HIGHUSER_MOVABLE, true }, /* larger ones first: gfp_text takes the first that fits */
    { "HIGHUSER", GFP_HIGHUSER, true },
    { "USER", GFP_USER, true },
    { "KERNEL", GFP_KERNEL, true },
    { "NOFS", GFP_NOFS, true },
    { "NOIO", GFP_NOIO, true },
    { "ATOMIC", GFP_ATOMIC, true },
    { "NOWAIT", GFP_NOWAIT, true },
    { "DMA", GFPM_DMA, false },
    { "HIGHMEM", GFPM_HIGHMEM, false },
    { "DMA32", GFPM_DMA32, false },
    { "MOVABLE", GFPM_MOVABLE, false },
    { "RECLAIMABLE", GFPM_RECLAIMABLE, false },
    { "HIGH", GFPM_HIGH, false },
    { "IO", GFPM_IO, false },
    { "FS", GFPM_FS, false },
    { "ZERO", GFPM_ZERO, false },
    { "ATOMIC", GFPM_ATOMIC, false }, /* needs its prefix: without one the composition is meant */
    { "DIRECT_RECLAIM", GFPM_DIRECT_RECLAIM, false },
    { "KSWAPD_RECLAIM", GFPM_KSWAPD_RECLAIM, false },
    { "RECLAIM", GFPM_DIRECT_RECLAIM | GFPM_KSWAPD_RECLAIM, false },
    { "WRITE", GFPM_WRITE, false },
    { "NOWARN", GFPM_NOWARN, false },
    { "RETRY_MAYFAIL", GFPM_RETRY_MAYFAIL, false },
    { "NOFAIL", GFPM_NOFAIL, false },
    { "NORETRY", GFPM_NORETRY, false },
    { "MEMALLOC", GFPM_MEMALLOC, false },
    { "COMP", GFPM_COMP, false },
    { "NOMEMALLOC", GFPM_NOMEMALLOC, false },
    { "HARDWALL", GFPM_HARDWALL, false },
    { "THISNODE", GFPM_THISNODE, false },
    { "ACCOUNT", GFPM_ACCOUNT, false },
};
enum { NAME_COUNT = sizeof names / sizeof names[0], WORD_MAX = 40 };

static gfp_t known_bits(enum kernel_version v)
{
    gfp_t all = 0;
    for (size_t i = 0; i < NAME_COUNT; i++)
        all |= names[i].flags;
    return kernel_rules(v)->harder ? all : all & ~(gfp_t)GFPM_ATOMIC;
}

gfp_t gfp_compose(enum kernel_version v, enum gfp_composed c)
{
    if (c == GFP_ATOMIC && kernel_rules(v)->harder)
        return GFP_ATOMIC | GFPM_ATOMIC;
    if (c == GFP_NOWAIT && !kernel_rules(v)->nowait_nowarn)
        return GFPM_KSWAPD_RECLAIM;
    return c;
}

gfp_t gfp_translate(enum kernel_version v, gfp_t flags)
{
    bool atomic = (flags & (GFP_ATOMIC | GFPM_DIRECT_RECLAIM)) == GFP_ATOMIC;
    return kernel_rules(v)->harder && atomic ? flags | GFPM_ATOMIC : flags & ~(gfp_t)GFPM_ATOMIC;
}

static gfp_t flags_of(enum kernel_version v, const struct gfp_name *n)
{
    return n->composed ? gfp_compose(v, (enum gfp_composed)n->flags) : n->flags;
}

uint32_t gfp_value(enum kernel_version v, gfp_t flags) { return flags & known_bits(v); }

static const struct gfp_name *name_find(enum kernel_version v, const char *word)
{
    bool modifier = strncmp(word, "__GFP_", 6) == 0, composed = !modifier && strncmp(word, "GFP_", 4) == 0;
    const char *bare = word + (modifier ? 6 : composed ? 4 : 0);
    /* GFP_DMA and GFP_DMA32 are names of Linux too. */
    bool plain = strcmp(bare, "DMA") == 0 || strcmp(bare, "DMA32") == 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strcmp(names[i].name, bare) != 0 || (names[i].flags & ~known_bits(v)) != 0)
            continue;
        if ((!modifier && !composed) || names[i].composed == composed || (composed && plain))
            return &names[i];
    }
    return NULL;
}

/* ---- parsing */

struct parse {
    enum kernel_version version;
    gfp_t flags;
    bool used[NAME_COUNT], composed;
    char *why;
    size_t size;
};

static bool refuse(struct parse *p, const char *format, const char *word, const char *other)
{
    snprintf(p->why, p->size, format, word, other);
    return false;
}

static bool unknown_name(struct parse *p, const char *word)
{
    const char *known[2 * NAME_COUNT];
    char prefixed[NAME_COUNT][WORD_MAX];
    size_t n = 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if ((names[i].flags & ~known_bits(p->version)) != 0)
            continue;
        snprintf(prefixed[i], WORD_MAX, "%s%s", names[i].composed ? "GFP_" : "__GFP_", names[i].name);
        known[n++] = prefixed[i];
        known[n++] = names[i].name;
    }
    const char *near = suggest_nearest(word, known, n);
    if (strstr(word, "EXCLUSIVE") != NULL || strstr(word, "exclusive") != NULL)
        return refuse(p, "'%s' is no flag of Linux: 'exclusive' is an attribute of the request%s", word, "");
    return near != NULL ? refuse(p, "unknown allocation flag '%s'; did you mean '%s'?", word, near)
                        : refuse(p, "unknown allocation flag '%s' in Linux %s", word, kernel_rules(p->version)->name);
}

static bool take_number(struct parse *p, const char *word, bool remove)
{
    char *end;
    unsigned long value = strtoul(word, &end, 0);
    if (*end != '\0' || (value & ~(unsigned long)known_bits(p->version)) != 0)
        return refuse(p, "%s has bits that are no flags of Linux %s", word, kernel_rules(p->version)->name);
    p->flags = remove ? p->flags & ~(gfp_t)value : p->flags | (gfp_t)value;
    return true;
}

static bool take_name(struct parse *p, const char *word, bool remove)
{
    const struct gfp_name *n = name_find(p->version, word);
    if (n == NULL)
        return unknown_name(p, word);
    if (p->used[n - names])
        return refuse(p, "'%s' is given twice%s", word, "");
    if (n->composed && !remove && p->composed)
        return refuse(p, "'%s' is a second composition: only modifiers (__GFP_...) can be added%s", word, "");
    p->used[n - names] = true;
    p->composed |= n->composed && !remove;
    p->flags = remove ? p->flags & ~flags_of(p->version, n) : p->flags | flags_of(p->version, n);
    return true;
}

/* One name and the sign before it. The text goes on at *at. */
static bool take_term(struct parse *p, const char **at, bool first)
{
    char word[WORD_MAX];
    bool remove = false;
    *at += strspn(*at, " ");
    if (!first) {
        if (**at != '|' && **at != '&')
            return refuse(p, "'|' or '& ~' expected before '%s'%s", *at, "");
        remove = *(*at)++ == '&';
        *at += strspn(*at, " ");
        if (remove && *(*at)++ != '~')
            return refuse(p, "'&' takes flags away and needs a '~' after it%s%s", "", "");
        *at += strspn(*at, " ");
    }
    size_t length = strcspn(*at, " |&~");
    if (length == 0)
        return refuse(p, "a flag is missing%s%s", first ? "" : " after the last sign", "");
    if (length >= WORD_MAX)
        return refuse(p, "unknown allocation flag '%s'%s", *at, "");
    memcpy(word, *at, length);
    word[length] = '\0';
    *at += length;
    return word[0] >= '0' && word[0] <= '9' ? take_number(p, word, remove) : take_name(p, word, remove);
}

bool gfp_parse(enum kernel_version v, const char *text, gfp_t *flags, char *why, size_t why_size)
{
    struct parse p = { .version = v, .why = why, .size = why_size };
    const char *at = text;
    for (bool first = true; first || *at != '\0'; first = false) {
        if (!take_term(&p, &at, first))
            return false;
        at += strspn(at, " ");
    }
    const char *wrong = gfp_contradiction(p.flags);
    if (wrong != NULL)
        return refuse(&p, "%s%s", wrong, "");
    *flags = p.flags;
    return true;
}

/* GFP_ZONE_BAD and VM_WARN_ON of include/linux/gfp.h, WARN_ON_ONCE of __alloc_pages_slowpath. */
const char *gfp_contradiction(gfp_t g)
{
    gfp_t zone = g & (GFPM_DMA | GFPM_DMA32 | GFPM_HIGHMEM);
    if ((zone & (zone - 1)) != 0)
        return "at most one of __GFP_DMA, __GFP_DMA32 and __GFP_HIGHMEM can be asked for";
    if ((g & GFPM_MOVABLE) != 0 && (g & GFPM_RECLAIMABLE) != 0)
        return "__GFP_MOVABLE and __GFP_RECLAIMABLE exclude each other";
    if ((g & GFPM_NOFAIL) != 0 && (g & GFPM_DIRECT_RECLAIM) == 0)
        return "__GFP_NOFAIL needs __GFP_DIRECT_RECLAIM: who may not wait cannot be sure of a page";
    if ((g & GFPM_ATOMIC) != 0 && (g & GFPM_DIRECT_RECLAIM) != 0)
        return "__GFP_ATOMIC and __GFP_DIRECT_RECLAIM exclude each other";
    return NULL;
}

/* ---- printing */

const char *gfp_text(enum kernel_version v, gfp_t flags, char *text, size_t size)
{
    size_t at = 0;
    snprintf(text, size, "%s", flags == 0 ? "none" : "");
    for (size_t i = 0; i < NAME_COUNT && at < size; i++) {
        gfp_t these = flags_of(v, &names[i]);
        if ((these & ~known_bits(v)) != 0 || (flags & these) != these)
            continue;
        flags &= ~these;
        int n = snprintf(text + at, size - at, "%s%s%s", at != 0 ? "|" : "", names[i].composed ? "GFP_" : "__GFP_", names[i].name);
        at += n > 0 ? (size_t)n : 0;
    }
    return text;
}

/* ---- meaning */

enum class_id gfp_class(gfp_t flags)
{
    switch (flags & ~(gfp_t)(GFPM_ZERO | GFPM_NOWARN | GFPM_NOMEMALLOC | GFPM_ATOMIC | GFPM_COMP | GFPM_ACCOUNT)) {
    case GFP_ATOMIC: return CLASS_ALLOC_ATOMIC;
    case GFP_NOWAIT & ~GFPM_NOWARN: return CLASS_ALLOC_NOWAIT;
    case GFP_KERNEL: return CLASS_ALLOC_KERNEL;
    case GFP_HIGHUSER_MOVABLE: return CLASS_ALLOC_HIGHUSER_MOVABLE;
    case GFP_HIGHUSER: return CLASS_ALLOC_HIGHUSER;
    case GFP_USER: return CLASS_ALLOC_USER;
    case GFP_NOFS: return CLASS_ALLOC_NOFS;
    case GFP_NOIO: return CLASS_ALLOC_NOIO;
    default: return CLASS_ALLOC_OTHER;
    }
}

enum zone_id gfp_zone(gfp_t flags)
{
    if ((flags & GFPM_DMA) != 0)
        return ZONE_DMA;
    if ((flags & GFPM_DMA32) != 0)
        return ZONE_DMA32;
    return (flags & GFPM_HIGHMEM) != 0 && (flags & GFPM_MOVABLE) != 0 ? ZONE_MOVABLE : ZONE_NORMAL;
}
