/* src/work/trace_flags.c - allocation flags as kernels of all versions print them (include/trace/events/mmflags.h). */
#include "src/work/trace.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 48 };

/* Names that src/kern/gfp.h does not have. Those with 0 say nothing that the simulated allocator looks at, or ask for an
 * effort that depends on a machine and its load which are not those of the recording. */
static const struct { const char *name; gfp_t flags; } others[] = {
    { "ACCOUNT", 0 }, { "COLD", 0 }, { "COMP", 0 }, { "HARDWALL", GFPM_HARDWALL }, { "KERNEL_ACCOUNT", GFP_KERNEL },
    { "NOFAIL", 0 }, { "NOLOCKDEP", 0 }, { "NORETRY", 0 }, { "NOTRACK", 0 }, { "NO_KSWAPD", 0 }, { "NO_OBJ_EXT", 0 },
    { "OTHER_NODE", 0 }, { "RECLAIM", GFPM_DIRECT_RECLAIM | GFPM_KSWAPD_RECLAIM }, { "REPEAT", 0 }, { "RETRY_MAYFAIL", 0 },
    { "SKIP_KASAN", 0 }, { "SKIP_KASAN_POISON", 0 }, { "SKIP_KASAN_UNPOISON", 0 }, { "SKIP_ZERO", 0 },
    { "TEMPORARY", GFP_KERNEL | GFPM_RECLAIMABLE }, { "THISNODE", 0 },
    { "TRANSHUGE", (GFP_HIGHUSER_MOVABLE & ~(gfp_t)GFPM_KSWAPD_RECLAIM) | GFPM_NOMEMALLOC | GFPM_NOWARN },
    { "TRANSHUGE_LIGHT",
      (GFP_HIGHUSER_MOVABLE & ~(gfp_t)(GFPM_KSWAPD_RECLAIM | GFPM_DIRECT_RECLAIM)) | GFPM_NOMEMALLOC | GFPM_NOWARN },
    { "WAIT", GFPM_DIRECT_RECLAIM | GFPM_KSWAPD_RECLAIM }, { "WRITE", 0 }, { "ZEROTAGS", 0 },
};

static bool known_flag(const char *name, gfp_t *flags)
{
    char why[200];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, name) == 0) {
            *flags = others[i].flags;
            return true;
        }
    return gfp_parse(KERNEL_6_8, name, flags, why, sizeof why);
}

static size_t prefix_length(const char *word)
{
    return strncmp(word, "__GFP_", 6) == 0 ? 6 : strncmp(word, "GFP_", 4) == 0 ? 4 : 0;
}

/* One name or number of `length` characters. */
static bool one_flag(const char *text, size_t length, gfp_t *flags, uint64_t *unknown)
{
    char word[WORD_MAX];
    gfp_t found = 0;
    if (length == 0 || length >= sizeof word)
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    if (strcmp(word, "none") == 0 || strcmp(word, "(null)") == 0)
        return true;
    if (isdigit((unsigned char)word[0])) { /* bits without a name; 0: none */
        char *end;
        *unknown += strtoull(word, &end, 0) != 0;
        return *end == '\0';
    }
    size_t prefix = prefix_length(word);
    if (prefix == 0 || word[prefix] == '\0' || word[strspn(word, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] != '\0')
        return false;
    if (known_flag(word + prefix, &found))
        *flags |= found;
    else
        (*unknown)++;
    return true;
}

bool trace_flags(const char *text, gfp_t *flags, uint64_t *unknown, const char **wrong)
{
    *flags = 0;
    for (;;) {
        size_t length = strcspn(text, "| \t\r\n,");
        *wrong = text;
        if (!one_flag(text, length, flags, unknown))
            return false;
        text += length;
        if (*text != '|')
            return true;
        text++;
    }
}
