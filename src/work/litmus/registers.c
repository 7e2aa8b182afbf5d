/* src/work/litmus/registers.c - names of the general registers, by width. */
#include "src/work/litmus/test.h"

#include <string.h>
#include <strings.h>

enum { WIDTHS = 4 };
static const char *const names[LIT_REGS][WIDTHS] = {
    { "al", "ax", "eax", "rax" },      { "bl", "bx", "ebx", "rbx" },      { "cl", "cx", "ecx", "rcx" },
    { "dl", "dx", "edx", "rdx" },      { "sil", "si", "esi", "rsi" },     { "dil", "di", "edi", "rdi" },
    { "bpl", "bp", "ebp", "rbp" },     { "spl", "sp", "esp", "rsp" },     { "r8b", "r8w", "r8d", "r8" },
    { "r9b", "r9w", "r9d", "r9" },     { "r10b", "r10w", "r10d", "r10" }, { "r11b", "r11w", "r11d", "r11" },
    { "r12b", "r12w", "r12d", "r12" }, { "r13b", "r13w", "r13d", "r13" }, { "r14b", "r14w", "r14d", "r14" },
    { "r15b", "r15w", "r15d", "r15" },
};

const char *lit_reg_name(unsigned reg, unsigned bytes)
{
    for (unsigned w = 0; w < WIDTHS; w++)
        if (bytes == 1u << w)
            return names[reg][w];
    return NULL;
}

int lit_reg_find(const char *name, size_t length, uint8_t *bytes)
{
    for (int r = 0; r < LIT_REGS; r++)
        for (unsigned w = 0; w < WIDTHS; w++)
            if (strlen(names[r][w]) == length && strncasecmp(names[r][w], name, length) == 0) {
                *bytes = (uint8_t)(1u << w);
                return r;
            }
    return -1;
}
