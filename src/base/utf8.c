/* src/base/utf8.c - see the header. */
#include "src/base/utf8.h"

static unsigned length_by_first(unsigned char c)
{
    return c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

unsigned utf8_next(const char *text, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = (const unsigned char *)text;
    *code = 0;
    if (!s[0])
        return 0;
    unsigned n = length_by_first(s[0]);
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (unsigned i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) /* also stops at the end of the text */
            n = 0;
        else
            c = c << 6 | (s[i] & 0x3f);
    }
    if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        *code = UTF8_REPLACEMENT;
        return 1;
    }
    *code = c;
    return n;
}

static unsigned columns_of(uint32_t c)
{
    if (c >= 0x300 && c < 0x370)
        return 0;
    if ((c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
        (c >= 0xf900 && c < 0xfb00) || (c >= 0xff00 && c < 0xff61) || (c >= 0x1f300 && c < 0x1f650))
        return 2;
    return 1;
}

unsigned utf8_columns(const char *text)
{
    unsigned columns = 0, n;
    uint32_t c;
    for (; (n = utf8_next(text, &c)) != 0; text += n)
        columns += columns_of(c);
    return columns;
}
