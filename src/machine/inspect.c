/* src/machine/inspect.c - the read-only view of the machine that the oracle gets. */
#include "src/machine/private.h"

#include "src/kern/iommu_drv.h"
#include "src/kern/uspace.h"
#include "src/sim/abi/pte.h"
#include "src/sim/abi/vtd.h"

static void copies(void *arg, lineno line, inspect_copy_fn *fn, void *to)
{
    struct machine *m = arg;
    for (unsigned i = 0; i < m->agents; i++)
        cache_copies(m->caches[i], line, fn, to);
}

struct message_filter { lineno line; inspect_message_fn *fn; void *arg; };

static void one_message(void *arg, const struct msg *msg, tick sent)
{
    const struct message_filter *f = arg;
    (void)sent;
    if (msg->line.v == f->line.v && msg->kind != MSG_TLB_INVALIDATE && msg->kind != MSG_TLB_ACK)
        f->fn(f->arg, msg_infos[msg->kind].name, msg->dst, msg_infos[msg->kind].data, msg->version);
}

static void messages(void *arg, lineno line, inspect_message_fn *fn, void *to)
{
    struct machine *m = arg;
    struct message_filter f = { line, fn, to };
    net_for_each_in_flight(m->net, one_message, &f);
}

void machine_describe_line(struct machine *m, lineno line, FILE *out)
{
    const struct topology *t = &m->topology;
    home_describe(m->homes[topology_home_index(t, line)], line, out);
    for (unsigned c = 0; t->two_levels && c < t->clusters; c++)
        cluster_describe(m->slices[topology_slice_node(&t->routes[c], line) - t->first_slice], line, out);
}

static void home(void *arg, lineno line, FILE *out) { machine_describe_line(arg, line, out); }

struct tlb_visit { unsigned hart; inspect_tlb_fn *fn; void *arg; };

static void one_tlb_entry(void *arg, const struct tlb_entry *e)
{
    const struct tlb_visit *v = arg;
    v->fn(v->arg, v->hart, e->asid, (vaddr){ e->vpn << PAGE_SHIFT }, e->frame, e->writable);
}

static void tlbs(void *arg, inspect_tlb_fn *fn, void *to)
{
    struct machine *m = arg;
    for (unsigned i = 0; i < m->desc.cores; i++) {
        struct tlb_visit v = { i, fn, to };
        tlb_each(m->tlbs[i], one_tlb_entry, &v);
    }
}

struct iotlb_visit { inspect_iotlb_fn *fn; void *arg; };

static void one_iotlb_entry(void *arg, uint16_t domain, iova page, frame f, bool read, bool write)
{
    const struct iotlb_visit *v = arg;
    (void)read;
    v->fn(v->arg, "IOTLB", domain, page, f, write);
}

static void iotlbs(void *arg, inspect_iotlb_fn *fn, void *to)
{
    struct machine *m = arg;
    struct iotlb_visit v = { fn, to };
    if (m->iommu)
        iommu_each_iotlb(m->iommu, one_iotlb_entry, &v);
}

struct dma_visit { unsigned device; inspect_dma_fn *fn; void *arg; };

static void one_piece(void *arg, const struct dma_piece *p)
{
    const struct dma_visit *v = arg;
    if (p->state == PIECE_ORDERED || p->state == PIECE_IN_MEMORY)
        v->fn(v->arg, v->device, paddr_frame(p->at), p->write);
}

static void dma_in_flight(void *arg, inspect_dma_fn *fn, void *to)
{
    struct machine *m = arg;
    for (unsigned i = 0; i < m->desc.devices.count; i++) {
        struct dma_visit v = { i, fn, to };
        dma_each_piece(m->devices[i], one_piece, &v);
    }
}

static uint64_t read_now(void *arg, paddr a, unsigned bytes) { return memory_read(((struct machine *)arg)->memory, a, bytes); }

/* ---- translations reachable from the tables in memory: the whole radix trees are walked */

struct radix_visit {
    struct machine *machine;
    frame wanted;
    void (*found)(struct radix_visit *, uint64_t input_page);
    bool vtd;
    uint16_t id;
    void (*user_fn)(void *, uint16_t, vaddr);
    void (*iommu_fn)(void *, uint16_t, iova);
    void *arg;
};

static void walk_table(struct radix_visit *v, paddr table, unsigned level, uint64_t page)
{
    for (unsigned i = 0; i < PTE_COUNT; i++) {
        uint64_t e = memory_read(v->machine->memory, paddr_plus(table, i * 8u), 8);
        bool present = v->vtd ? vtd_pte_present(e) : pte_present(e);
        uint64_t here = page << 9 | i;
        if (!present)
            continue;
        frame to = v->vtd ? vtd_pte_frame(e) : pte_frame(e);
        if (level == 1) {
            if (to.v == v->wanted.v)
                v->found(v, here);
        } else if (memory_contains(v->machine->memory, frame_addr(to), PAGE_BYTES)) {
            walk_table(v, frame_addr(to), level - 1, here);
        }
    }
}

static void found_user(struct radix_visit *v, uint64_t page) { v->user_fn(v->arg, v->id, (vaddr){ page << PAGE_SHIFT }); }
static void found_iommu(struct radix_visit *v, uint64_t page) { v->iommu_fn(v->arg, v->id, (iova){ page << PAGE_SHIFT }); }

static void user_mappings(void *arg, frame f, void (*fn)(void *, uint16_t, vaddr), void *to)
{
    struct machine *m = arg;
    for (unsigned asid = 1; asid <= m->kernel.desc.spaces; asid++) {
        struct radix_visit v = { .machine = m, .wanted = f, .found = found_user, .id = (uint16_t)asid, .user_fn = fn, .arg = to };
        paddr root = uspace_root(&m->kernel, &m->backdoor, (uint16_t)asid);
        if (root.v)
            walk_table(&v, root, 4, 0);
    }
}

static void iommu_mappings(void *arg, frame f, void (*fn)(void *, uint16_t, iova), void *to)
{
    struct machine *m = arg;
    for (unsigned id = 1; m->kernel.desc.iommu.on && id <= m->kernel.desc.iommu.domains; id++) {
        struct radix_visit v = { .machine = m, .wanted = f, .found = found_iommu, .vtd = true, .id = (uint16_t)id, .iommu_fn = fn,
                                 .arg = to };
        paddr root = iommu_domain_table(&m->kernel, &m->backdoor, (uint16_t)id);
        if (root.v)
            walk_table(&v, root, m->kernel.desc.iommu.levels, 0);
    }
}

static void history(void *arg, lineno line, FILE *out) { history_print(((struct machine *)arg)->history, line, 16, out); }

void machine_inspector(struct machine *m)
{
    m->inspector = (struct inspector){
        .machine = m, .harts = m->desc.cores, .agents = m->agents, .agent_name = machine_agent_name, .copies = copies,
        .messages = messages, .home = home, .tlbs = tlbs, .iotlbs = iotlbs, .dma_in_flight = dma_in_flight, .read = read_now,
        .user_mappings = user_mappings, .iommu_mappings = iommu_mappings, .history = history };
}
