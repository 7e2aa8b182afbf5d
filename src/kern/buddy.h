/* src/kern/buddy.h - a zone's free lists: blocks of 2^order frames, orders 0 to 10, a list for each migrate type, split
 * and merged as in mm/page_alloc.c. One zone lock guards lists, block counts, the free page count, the reserve count,
 * pageblock types (for writing), and lru, private and type of the struct pages on the lists. A free block lies on the
 * list of its pageblock's type. All functions run in any context but NMI.
 */
#ifndef LAB_KERN_BUDDY_H
#define LAB_KERN_BUDDY_H

#include "src/kern/frames.h"

/* Takes and drops the zone lock with interrupts off. The marked one moves the cursor of the open request to
 * zone_wait and zone_hold. */
bool zone_lock(struct hart *, const struct kernel *, const struct zone *);
bool zone_lock_marked(struct hart *, const struct kernel *, const struct zone *);
void zone_unlock(struct hart *, const struct kernel *, const struct zone *, bool were_on);

/* ---- under the zone lock; lists and block counts only: the caller accounts the free pages (once per batch) */

/* __rmqueue_smallest: from this type's lists only. Frame 0: none of this order or larger. */
frame buddy_take_type(struct hart *, const struct kernel *, const struct zone *, unsigned order, enum migratetype);
/* __rmqueue: the type's own lists, then by claim or steal from others (fallback.h). */
frame buddy_take(struct hart *, const struct kernel *, const struct zone *, const struct frame_request *);
/* __free_one_page: merges upwards. The type is that of the block's pageblock. */
void buddy_put(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order, enum migratetype);
void zone_add_free(struct hart *, const struct kernel *, const struct zone *, int64_t pages);
/* del_page_from_free_list, expand: takes a whole block off its list; then, of a block so taken, gives back all but the
 * first 2^want frames. */
void buddy_remove(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);
void buddy_split(struct hart *, const struct kernel *, const struct zone *, frame, unsigned have, unsigned want,
                 enum migratetype);
/* move_to_free_list: moves a block from the list it is on to that of another type. */
void buddy_move(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order,
                enum migratetype to);
/* page_is_buddy: is the block at f free, whole, and of this order? Frames outside the zone never are. */
bool buddy_is_free(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);
/* Order of the free block that begins at f, which is in the zone; -1: none does. */
int buddy_order_at(struct hart *, const struct kernel *, frame);

/* ---- with the lock around it, marked: inside a request only */

/* rmqueue_buddy: HIGHATOMIC first where the flags say so; *source becomes HIGHATOMIC or BUDDY. */
frame buddy_alloc(struct hart *, const struct kernel *, const struct zone *, const struct frame_request *,
                  enum source_id *source);
void buddy_free(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);

/* Boot: all frames of the zone free, in the fewest blocks, on MOVABLE lists in order of address. */
void buddy_boot(struct kernel *, struct zone *, struct backdoor *);

#endif
