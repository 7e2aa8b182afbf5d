/* models/cache/port.h - a device's way to coherent memory: a mem_port in front of a cache agent without tags.
 *
 * A read asks once and keeps nothing. A write gains the line (whole lines without fetching them), is performed in
 * the granting event and goes home at once. Requests of a port are independent; order is the device's business.
 */
#ifndef LAB_MODELS_CACHE_PORT_H
#define LAB_MODELS_CACHE_PORT_H

#include "models/cache/cache.h"

struct device_port;

/* Performed writes are told to the observer as stores of `agent`. */
struct device_port *device_port_new(struct component_list *, const char *name, uint16_t agent, const struct cache_desc *,
                                    const struct cache_env *);
void device_port_free(struct device_port *);
struct mem_port *device_port_mem(struct device_port *);
struct cache *device_port_cache(struct device_port *);

#endif
