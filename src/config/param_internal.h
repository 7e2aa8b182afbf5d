/* src/config/param_internal.h - shared by param.c (values) and param_doc.c (schema, reference). */
#ifndef LAB_CONFIG_PARAM_INTERNAL_H
#define LAB_CONFIG_PARAM_INTERNAL_H

#include "src/config/param.h"
#include "src/config/quantity.h"

enum { RANGE_TEXT_MAX = 2 * QUANTITY_TEXT_MAX + 16 };

size_t param_choices_count(const struct param *);
bool param_is_number(const struct param *);
enum quantity param_quantity(const struct param *); /* numbers only */
uint64_t param_max(const struct param *);           /* the field's own limit included */

/* "1KiB to 1MiB"; period_ps other than 0: in cycles of that period. */
const char *param_range_text(const struct param *, uint32_t period_ps, char buffer[RANGE_TEXT_MAX]);

#endif
