/* src/cli/protocol.h - loading a protocol that the user named, and the formats it is printed in. */
#ifndef LAB_CLI_PROTOCOL_H
#define LAB_CLI_PROTOCOL_H

#include "models/coherence/table.h"
#include "src/base/arena.h"

/* By name or path; errors end the program. protocol_free. */
struct protocol *load_protocol_or_fail(struct arena *, const char *argument);
/* "text", "markdown", "dot", "csv"; otherwise fail_unknown. */
enum protocol_format parse_protocol_format(const char *);

#endif
