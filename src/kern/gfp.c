/* src/kern/gfp.c - names of allocation flags. */
#include "src/kern/gfp.h"

#include <string.h>

static const struct gfp_name {
    const char *name;
    gfp_t flags;
    bool composed;
} names[] = {
    { "ATOMIC", GFP_ATOMIC, true },
    { "NOWAIT", GFP_NOWAIT, true },
    { "KERNEL", GFP_KERNEL, true },
    { "NOIO", GFP_NOIO, true },
    { "NOFS", GFP_NOFS, true },
    { "USER", GFP_USER, true },
    { "HIGHUSER", GFP_HIGHUSER, true },
    { "HIGHUSER_MOVABLE", GFP_HIGHUSER_MOVABLE, true },
    { "DMA", GFPM_DMA, false },
    { "HIGHMEM", GFPM_HIGHMEM, false },
    { "DMA32", GFPM_DMA32, false },
    { "MOVABLE", GFPM_MOVABLE, false },
    { "RECLAIMABLE", GFPM_RECLAIMABLE, false },
    { "HIGH", GFPM_HIGH, false },
    { "IO", GFPM_IO, false },
    { "FS", GFPM_FS, false },
    { "ZERO", GFPM_ZERO, false },
    { "DIRECT_RECLAIM", GFPM_DIRECT_RECLAIM, false },
    { "KSWAPD_RECLAIM", GFPM_KSWAPD_RECLAIM, false },
    { "NOWARN", GFPM_NOWARN, false },
    { "MEMALLOC", GFPM_MEMALLOC, false },
    { "NOMEMALLOC", GFPM_NOMEMALLOC, false },
    { "HARDWALL", GFPM_HARDWALL, false },
};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

static const struct gfp_name *name_find(const char *word, size_t length)
{
    bool modifier = length > 6 && strncmp(word, "__GFP_", 6) == 0;
    bool composed = !modifier && length > 4 && strncmp(word, "GFP_", 4) == 0;
    size_t prefix = modifier ? 6 : composed ? 4 : 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strlen(names[i].name) != length - prefix || strncmp(names[i].name, word + prefix, length - prefix) != 0)
            continue;
        return prefix == 0 || names[i].composed == composed ? &names[i] : NULL;
    }
    return NULL;
}

bool gfp_parse(const char *text, gfp_t *flags)
{
    bool used[NAME_COUNT] = { false };
    bool composed = false;
    gfp_t all = 0;
    for (;;) {
        text += strspn(text, " ");
        size_t length = strcspn(text, " |");
        const struct gfp_name *n = name_find(text, length);
        if (n == NULL || used[n - names] || (n->composed && composed))
            return false;
        used[n - names] = true;
        composed |= n->composed;
        all |= n->flags;
        text += length;
        text += strspn(text, " ");
        if (*text == '\0')
            break;
        if (*text++ != '|')
            return false;
    }
    *flags = all;
    return true;
}

enum class_id gfp_class(gfp_t flags)
{
    switch (flags & ~(gfp_t)(GFPM_ZERO | GFPM_NOWARN | GFPM_NOMEMALLOC)) {
    case GFP_ATOMIC: return CLASS_ALLOC_ATOMIC;
    case GFP_NOWAIT & ~GFPM_NOWARN: return CLASS_ALLOC_NOWAIT;
    case GFP_KERNEL: return CLASS_ALLOC_KERNEL;
    case GFP_HIGHUSER_MOVABLE: return CLASS_ALLOC_HIGHUSER_MOVABLE;
    default: return CLASS_ALLOC_OTHER;
    }
}
