/* src/machine/counter_terms.h - the dictionary of counters: a sentence for each name that a run can give.
 *
 * Names without numbers are listed here; those of IOMMU, devices, messages and faults come from the tables that make
 * the counters, so that they cannot disagree. A family has one entry: deviceN.read_count for every device,
 * page_own.straggler_line_NN_count for every line of a page.
 */
#ifndef LAB_MACHINE_COUNTER_TERMS_H
#define LAB_MACHINE_COUNTER_TERMS_H

#include <stdbool.h>
#include <stddef.h>

/* Every entry, families once; name and sentence live as long as the call. */
void counter_terms_each(void (*fn)(void *arg, const char *name, const char *sentence), void *arg);

/* Is there a counter of this name (without "counters.")? If so its sentence goes to the buffer, which may be NULL. */
bool counter_explain(const char *name, char *sentence, size_t bytes);

/* The nearest name that exists, or NULL. Returns buffer. */
const char *counter_nearest(const char *name, char *buffer, size_t bytes);

#endif
