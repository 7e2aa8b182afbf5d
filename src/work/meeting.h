/* src/work/meeting.h - where agents meet without simulated traffic: no time passes but the waiting itself.
 *
 * Pages: an owner posts a page and waits until all touchers of the machine have touched it in this round.
 *
 *      owner                          devices                   touchers
 *   meeting_post -- tells --------> posted() ... DMA ...
 *        |                          meeting_device_arrive
 *        |                                 \___ all ___________ meeting_next, touch, meeting_arrive
 *        |<------------------------------------------------------------ all
 *   meeting_grant -- tells -------> granted()
 *
 * Order, so that the state of the lines afterwards is always the same: devices go first; a toucher that writes
 * goes when all touchers before it have arrived, one that reads when all writers before it have; several owners
 * are served in their order. Order of agents is that of the file, then of harts.
 *
 * A start line (a barrier) for the members of one entry is here too. Everything is allocated at prepare.
 */
#ifndef LAB_WORK_MEETING_H
#define LAB_WORK_MEETING_H

#include "src/base/units.h"

struct agent;
struct hart;
struct work;

/* Sleeps until ready(arg), serving interrupts; whoever makes it true (no handler of this hart) calls hart_wake.
 * Task context, interrupts on. */
void work_wait(struct hart *, bool (*ready)(const void *arg), const void *arg, const char *why);

struct posted_page {
    unsigned slot;      /* of the owner */
    frame page;
    vaddr at;           /* in user space 1 */
};

/* What a device program wants to hear; both are called in the event in which it happens, and may be NULL. One with
 * posted must answer each call by meeting_device_arrive. */
struct meeting_device {
    struct agent *agent;
    void (*posted)(struct agent *, struct posted_page);
    void (*granted)(struct agent *, unsigned slot, frame);
};

/* ---- prepare: say who takes part. The numbers returned count from 0. */
unsigned meeting_add_owner(struct work *, struct agent *);
unsigned meeting_add_toucher(struct work *, struct agent *, bool writes);
unsigned meeting_add_device(struct work *, const struct meeting_device *);

/* ---- owners */
void meeting_post(struct hart *, struct work *, struct posted_page); /* returns when everybody has arrived */
/* The page granted to the owner of this slot; frame 0: it is about to be given back. */
void meeting_grant(struct work *, unsigned slot, frame);
frame meeting_granted(const struct work *, unsigned slot);

/* ---- touchers and devices */
struct posted_page meeting_next(struct hart *, struct work *, unsigned toucher); /* waits for one */
void meeting_arrive(struct work *, unsigned toucher, unsigned slot);
void meeting_device_arrive(struct work *, unsigned device, unsigned slot);

/* ---- start lines: barriers of the members of one entry */
struct start_line;
struct start_line *start_line_new(struct work *, struct agent *members, unsigned count);
void start_line_wait(struct hart *, struct start_line *); /* each member, the same number of times */

#endif
