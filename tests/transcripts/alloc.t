$ labyrinth alloc --explain --gfp ATOMIC --order 0 --free 376 --min 1000
request   order 0 (1 page), gfp 0x820 = GFP_ATOMIC, Linux 6.8
          may not sleep; wakes kswapd; __GFP_HIGH: may use reserves
fast path WMARK_LOW|KSWAPD
          order 0: free 376 - unusable 0 is not > low 1250 = 1250 + lowmem reserve 0
slow path WMARK_MIN|NON_BLOCK|MIN_RESERVE|KSWAPD
          the floor is 37.5 % of min: half for __GFP_HIGH, a quarter off what is left because it cannot wait
          order 0: free 376 - unusable 0 > min 1000 x 0.5 x 0.75 = 375 + lowmem reserve 0
answer    granted, from the reserve that the flags allow
$ labyrinth alloc --explain --gfp ATOMIC --order 0 --free 375 --min 1000
request   order 0 (1 page), gfp 0x820 = GFP_ATOMIC, Linux 6.8
          may not sleep; wakes kswapd; __GFP_HIGH: may use reserves
fast path WMARK_LOW|KSWAPD
          order 0: free 375 - unusable 0 is not > low 1250 = 1250 + lowmem reserve 0
slow path WMARK_MIN|NON_BLOCK|MIN_RESERVE|KSWAPD
          the floor is 37.5 % of min: half for __GFP_HIGH, a quarter off what is left because it cannot wait
          order 0: free 375 - unusable 0 is not > min 1000 x 0.5 x 0.75 = 375 + lowmem reserve 0
answer    refused by this zone; if no other zone helps, the allocation fails at once, with a warning
$ labyrinth alloc --explain --gfp NOWAIT --order 0 --free 1000 --min 1000
request   order 0 (1 page), gfp 0x2800 = GFP_NOWAIT, Linux 6.8
          may not sleep; wakes kswapd; no __GFP_HIGH: no reserves
fast path WMARK_LOW|KSWAPD
          order 0: free 1000 - unusable 0 is not > low 1250 = 1250 + lowmem reserve 0
slow path WMARK_MIN|NON_BLOCK|CPUSET|KSWAPD
          the floor is 100.0 % of min
          order 0: free 1000 - unusable 0 is not > min 1000 = 1000 + lowmem reserve 0
answer    refused by this zone; if no other zone helps, the allocation fails at once, silently
$ labyrinth alloc --explain --gfp NOWAIT --order 0 --free 1001 --min 1000
request   order 0 (1 page), gfp 0x2800 = GFP_NOWAIT, Linux 6.8
          may not sleep; wakes kswapd; no __GFP_HIGH: no reserves
fast path WMARK_LOW|KSWAPD
          order 0: free 1001 - unusable 0 is not > low 1250 = 1250 + lowmem reserve 0
slow path WMARK_MIN|NON_BLOCK|CPUSET|KSWAPD
          the floor is 100.0 % of min
          order 0: free 1001 - unusable 0 > min 1000 = 1000 + lowmem reserve 0
answer    granted, after kswapd has been woken where the flags say so
$ labyrinth alloc --explain --gfp 'GFP_KERNEL | __GFP_NOWARN' --order 3 --free 2000 --min 1000 --no-block
request   order 3 (8 pages), gfp 0x2cc0 = GFP_KERNEL|__GFP_NOWARN, Linux 6.8
          may sleep and reclaim; wakes kswapd; no __GFP_HIGH: no reserves
fast path WMARK_LOW|KSWAPD
          unusable: 2^3 - 1 = 7
          order 3: free 2000 - unusable 7 > low 1250 = 1250 + lowmem reserve 0, but no block of order 3 or larger is free
slow path WMARK_MIN|CPUSET|KSWAPD
          the floor is 100.0 % of min
          unusable: 2^3 - 1 = 7
          order 3: free 2000 - unusable 7 > min 1000 = 1000 + lowmem reserve 0, but no block of order 3 or larger is free
answer    not now: the request goes on to direct reclaim and compaction
$ labyrinth alloc --explain --gfp ATOMIC --order 2 --free 700 --min 1000 --highatomic 512 --boost 300 --lowmem-reserve 40
request   order 2 (4 pages), gfp 0x820 = GFP_ATOMIC, Linux 6.8
          may not sleep; wakes kswapd; __GFP_HIGH: may use reserves
fast path WMARK_LOW|KSWAPD
          unusable: 2^2 - 1 = 3, and the HIGHATOMIC reserve, which these flags may not use
          order 2: free 700 - unusable 515 is not > (low 1250 + boost 300) = 1550 + lowmem reserve 40
slow path WMARK_MIN|NON_BLOCK|MIN_RESERVE|HIGHATOMIC|KSWAPD
          the floor is 37.5 % of min: half for __GFP_HIGH, a quarter off what is left because it cannot wait
          unusable: 2^2 - 1 = 3
          order 2: free 700 - unusable 3 > (min 1000 + boost 300) x 0.5 x 0.75 = 488 + lowmem reserve 40
answer    granted, from the reserve that the flags allow
$ labyrinth alloc --explain --kernel 6.0 --gfp __GFP_ATOMIC --free 760 --min 1000
request   order 0 (1 page), gfp 0x200 = __GFP_ATOMIC, Linux 6.0
          may not sleep; does not wake kswapd; no __GFP_HIGH: no reserves
fast path WMARK_LOW
          order 0: free 760 - unusable 0 is not > low 1250 = 1250 + lowmem reserve 0
slow path WMARK_MIN|HARDER
          the floor is 75.0 % of min: a quarter off because it cannot wait
          order 0: free 760 - unusable 0 > min 1000 x 0.75 = 750 + lowmem reserve 0
answer    granted, from the reserve that the flags allow
$ labyrinth alloc --explain --gfp 'KERNEL|MEMALLOC' --free 5 --min 1000
request   order 0 (1 page), gfp 0x20cc0 = GFP_KERNEL|__GFP_MEMALLOC, Linux 6.8
          may sleep and reclaim; wakes kswapd; no __GFP_HIGH: no reserves
fast path WMARK_LOW|KSWAPD
          order 0: free 5 - unusable 0 is not > low 1250 = 1250 + lowmem reserve 0
slow path WMARK_MIN|NO_WATERMARKS|CPUSET|KSWAPD
          watermarks are ignored: memory may be used up
          order 0, 5 pages free, watermarks ignored
answer    granted, from the reserve that the flags allow
$ labyrinth alloc --explain --gfp ATOMIC --free 5000 --min 1000 --low 2000
request   order 0 (1 page), gfp 0x820 = GFP_ATOMIC, Linux 6.8
          may not sleep; wakes kswapd; __GFP_HIGH: may use reserves
fast path WMARK_LOW|KSWAPD
          order 0: free 5000 - unusable 0 > low 2000 = 2000 + lowmem reserve 0
answer    granted at once
$ labyrinth alloc --explain --gfp ATOMICS --free 1 --min 1
labyrinth: --gfp ATOMICS: unknown allocation flag 'ATOMICS'; did you mean 'ATOMIC'?
exit 2
$ labyrinth alloc --explain --gfp 'ATOMIC|NOFAIL' --free 1 --min 1
labyrinth: --gfp ATOMIC|NOFAIL: __GFP_NOFAIL needs __GFP_DIRECT_RECLAIM: who may not wait cannot be sure of a page
exit 2
$ labyrinth alloc --explain --gfp EXCLUSIVE --free 1 --min 1
labyrinth: --gfp EXCLUSIVE: 'EXCLUSIVE' is no flag of Linux: 'exclusive' is an attribute of the request
exit 2
$ labyrinth alloc --explain --kernel 6.01 --free 1 --min 1
labyrinth: unknown kernel version "6.01"; did you mean "6.0"?
exit 2
$ labyrinth alloc --explain --gfp ATOMIC --free 3
labyrinth: alloc --explain needs --free PAGES and --min PAGES
exit 2
$ labyrinth alloc --explain --free 3 --min 10 --low 4
labyrinth: --low 4 is below --min 10
exit 2
$ labyrinth alloc --explain --order 11 --free 3 --min 10
labyrinth: --order: "11" is no whole number from 0 to 10
exit 2
$ labyrinth alloc --free 3 --min 10
labyrinth: alloc works one decision through: labyrinth alloc --explain --gfp ATOMIC --free 400 --min 1000
exit 2
