/* src/sim/backdoor.c - the simulator's back door into simulated memory. */
#include "src/sim/backdoor.h"

uint64_t backdoor_read(struct backdoor *b, paddr a, unsigned bytes) { return memory_read(b->memory, a, bytes); }
void backdoor_write(struct backdoor *b, paddr a, unsigned bytes, uint64_t value) { memory_write(b->memory, a, bytes, value); }
void backdoor_image(struct backdoor *b, frame first, uint64_t count,
                    void (*fn)(void *arg, frame f, uint64_t words[PAGE_BYTES / 8]), void *arg)
{
    memory_boot_image(b->memory, first, count, fn, arg);
}
