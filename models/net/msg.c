/* models/net/msg.c - the table of message kinds, from the one list in models/msg.h. */
#include "models/msg.h"

#define X(id, network, carries, text) \
    [MSG_##id] = { .name = #id, .vnet = VNET_##network, .data = carries, .sentence = text },
const struct msg_info msg_infos[MSG_KIND_COUNT] = { MSG_LIST(X) };
#undef X
