/* src/cli/protocol.h - loading a protocol that the user named. */
#ifndef LAB_CLI_PROTOCOL_H
#define LAB_CLI_PROTOCOL_H

#include "src/base/arena.h"

struct protocol;

/* By name or path; errors end the program. protocol_free. */
struct protocol *load_protocol_or_fail(struct arena *, const char *argument);

#endif
