/* models/coherence/lines.h - several lines between the same caches and one home, coupled as the timed machine couples
 * them. Private to the explorer.
 *
 * Places: a cache has room for some of the lines, a device for none. A filled line that finds no place pushes out any
 * stable line, itself included, in the same event; nothing is evicted without need.
 * Where the home has room for fewer lines than there are, it recalls any stable line before it takes up a request for one
 * that it does not hold; the request waits meanwhile, and others may take the place. Nothing is recalled without need
 * then. A home with room for all recalls at any time, as with one line: for lines beyond those explored.
 * MSHRs: a cache begins no more operations than it has MSHRs, each with a write-back entry in hand for the line
 * that it may push out; an eviction keeps that entry until it is answered.
 * Lines are interchangeable like caches.
 */
#ifndef LAB_MODELS_COHERENCE_LINES_H
#define LAB_MODELS_COHERENCE_LINES_H

#include "models/coherence/world.h"

struct lines { struct world line[EXPLORE_LINES_MAX]; };

/* Makes a space of one line, already initialised, one of o.lines. */
void lines_init(struct space *, struct explore_options);

#endif
