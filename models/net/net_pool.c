/* models/net/net_pool.c - packets: chunks that never move, one free list. */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

#include <stdlib.h>

void net_pool_grow(struct net *n, uint32_t count)
{
    struct packet_chunk *chunk = calloc(1, sizeof *chunk + count * sizeof chunk->packets[0]);
    CHECK_MEMORY(chunk, "%s: no host memory for %u more messages, %llu are in flight", n->component.name, count,
          (unsigned long long)n->in_flight_count);
    chunk->count = count;
    chunk->next = n->chunks;
    n->chunks = chunk;
    for (uint32_t i = count; i-- > 0;) {
        chunk->packets[i].net = n;
        chunk->packets[i].next = n->free_packets;
        n->free_packets = &chunk->packets[i];
    }
}

void net_pool_free(struct net *n)
{
    while (n->chunks) {
        struct packet_chunk *next = n->chunks->next;
        free(n->chunks);
        n->chunks = next;
    }
}
