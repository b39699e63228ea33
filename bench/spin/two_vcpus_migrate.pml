/*
 * two-vcpus-migrate: one anonymous page is in swap, two vCPUs access it, a migrator tries to move it. Policy
 * rfc with the repairs L1 ... L4, or L1 ... L5 with -DL5: what Pinshift explores under that name, for SPIN.
 *
 *   npx tsx bench/spin/run.ts                             all of it, as JSON; needs spin and gcc
 *
 *   spin -a two_vcpus_migrate.pml                         or spin -DL5 -a two_vcpus_migrate.pml
 *   gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -E -c0 -m10000
 *   gcc -O2 -DSAFETY -DBFS -DNOREDUCE -o pan pan.c && ./pan -E       the shortest way to a violation,
 *   spin -t two_vcpus_migrate.pml                         told transition by transition
 *
 * -DL5 adds the repair L5, -DVCPUS=3 a third vCPU, -DATTEMPTS=N attempts of the migrator; -DSEED_NO_PUT leaves
 * out the put_page() of completions, which has to be found.
 *
 * Every d_step is one transition: what happens between two points at which another CPU could come. It bears
 * the name of its TRANSITION_* in assembly/abi.ts. A transition that breaks an invariant is the last one: the
 * kernel has crashed. Then every process stands still, which is no deadlock, so that -E leaves deadlocks to
 * the process `end_of_run`. Without crashes (-DL5) pan's own search for invalid end states agrees with it.
 * No label may stand before a d_step that is jumped to, hence the selections with one option.
 *
 * Simplified: pages reach the LRU at once (no pagevecs), a freed context or work item is not used for another
 * one, no writeback is under way, and the content of pages is left out.
 */

#ifndef ATTEMPTS
#define ATTEMPTS 1		/* of the migrator */
#endif

#ifndef VCPUS
#define VCPUS 2			/* up to 3 */
#endif

#define WRITES (_pid == 0)	/* vCPU 0 writes, the others read */

/* page->mapping; bit 0 is the ANON tag, bit 1 says apf_mapping */
#define NO_MAPPING	0
#define ANON		1
#ifdef L5
#define SUBSTITUTE	3	/* keeps the tag */
#else
#define SUBSTITUTE	2
#endif
#define page_anon(f)	((frame[f].mapping & 1) != 0)

/* page->private: 0, a context, or the swap entry */
#define SLOT		7
#define ctx_of(f)	(frame[f].private == SLOT -> 0 : frame[f].private)

/* The page table entry. pte_pfn is meant by all of them but SWAP. */
#define PTE_SWAP	0
#define PTE_RO		1	/* present */
#define PTE_RW		2
#define PTE_MIGRATE_RO	3	/* migration entries */
#define PTE_MIGRATE_RW	4
#define pte_present	(pte == PTE_RO || pte == PTE_RW)
#define pte_migrates	(pte >= PTE_MIGRATE_RO)

/* struct kvm_async_pf */
#define APF_FREE	0
#define APF_QUEUED	1
#define APF_DONE	2

#define NO_FRAME	0	/* frames are 1 and 2 */

typedef Frame {
	unsigned count : 4;
	unsigned waits : 3;	/* of these, references of those who sleep on the page lock */
	unsigned mapcount : 1;
	unsigned mapping : 2;
	unsigned private : 3;
	unsigned locked : 1;
	unsigned uptodate : 1;
	unsigned lru : 1;
	unsigned swapcache : 1
};

typedef Apf {
	unsigned state : 2;
	unsigned page : 2;	/* apf->page */
	unsigned holds : 2;	/* frame on which it holds GUP's reference */
	unsigned shares : 2	/* L5: context that it is an owner of */
};

typedef Ctx {			/* struct kvm_apf_ctx */
	unsigned live : 1;
	unsigned ori_mapping : 2;
	unsigned context : 2;	/* work item, by its vCPU */
	unsigned owners : 2	/* L5 */
};

Frame frame[3];
Apf apf[VCPUS];			/* of each vCPU: the page is pending there once at most */
Ctx ctx[VCPUS + 1];		/* each worker has one of its own; 0 is none */
unsigned pte : 3;
unsigned pte_pfn : 2;
unsigned slot_pfn : 2;		/* what the swap cache has for the slot */
unsigned isolated : 2;		/* page that the migrator has taken off the LRU */
unsigned target : 2;
unsigned put_window : 1;	/* the callback has given up a reference that is not its own */
unsigned nr_ended : 3;		/* vCPUs and migrator */
unsigned crashed : 4;		/* the invariant that is broken */

/* as in assembly/abi.ts */
#define INV_REF		1
#define INV_MAPC	2
#define INV_ENTRY	7
#define INV_CTX		8
#define INV_UAF		11
#define INV_FREE	13
#define INV_LIVE	14

#define NR_ENDING	(VCPUS + 1)
#define alive		(crashed == 0)

inline broken(invariant)
{
	crashed = invariant;
	assert(crashed != invariant)
}

#if VCPUS == 3
#define pins(f)		((apf[0].holds == f) + (apf[1].holds == f) + (apf[2].holds == f))
#define any_ctx		(ctx[1].live || ctx[2].live || ctx[3].live)
#else
#define pins(f)		((apf[0].holds == f) + (apf[1].holds == f))
#define any_ctx		(ctx[1].live || ctx[2].live)
#endif
#define holders(f)	((pte_present && pte_pfn == f) + (slot_pfn == f) + (isolated == f) + (target == f) + \
			pins(f) + frame[f].waits)
#define ref_ok(f)	(frame[f].count == holders(f))
#define mapc_ok(f)	(frame[f].mapcount == (pte_present && pte_pfn == f))

/* The invariants of the state that a transition leaves. */
inline check()
{
	if
	:: alive ->
		if
		:: !put_window && !(ref_ok(1) && ref_ok(2)) -> broken(INV_REF)
		:: else ->
			if
			:: !(mapc_ok(1) && mapc_ok(2)) -> broken(INV_MAPC)
			:: else ->
				if
				:: pte_migrates && !frame[pte_pfn].locked -> broken(INV_ENTRY)
				:: else
				fi
			fi
		fi
	:: else
	fi
}

/* ---------------------------------------------------------------- pages */

inline get_page(f)
{
	frame[f].count++
}

/* free_pages_prepare() */
inline release_page(f)
{
	if
	:: frame[f].locked || frame[f].swapcache || frame[f].mapcount != 0 ||
	   (frame[f].mapping != NO_MAPPING && !page_anon(f)) -> broken(INV_FREE)
	:: else ->
		frame[f].mapping = NO_MAPPING;
		frame[f].private = 0;
		frame[f].uptodate = 0;
		frame[f].lru = 0
	fi
}

inline put_page(f)
{
	if
	:: frame[f].count == 0 -> broken(INV_REF)
	:: else ->
		frame[f].count--;
		if
		:: frame[f].count == 0 -> release_page(f)
		:: else
		fi
	fi
}

/* A task sleeps until `f` is unlocked, with a reference that unlock_page() drops. */
inline sleep_on_page(f)
{
	get_page(f);
	frame[f].waits++
}

inline unlock_page(f)
{
	frame[f].locked = 0;
	do
	:: frame[f].waits > 0 ->
		frame[f].waits--;
		put_page(f)
	:: else -> break
	od
}

inline alloc_page(f)
{
	if
	:: frame[1].count == 0 -> f = 1
	:: else ->
		f = 2;
		assert(frame[2].count == 0)
	fi;
	frame[f].count = 1
}

/* ---------------------------------------------------------------- faults */

#define entry_pfn	(pte == PTE_SWAP -> slot_pfn : pte_pfn)

#define allowed(write)	(pte == PTE_RW || (pte == PTE_RO && !(write)))

/* A fault that is resolved at once: from the swap cache, or a write to a page that nobody else maps. */
#define resolves(write)	(!allowed(write) && !pte_migrates && entry_pfn != NO_FRAME && \
			!frame[entry_pfn].locked)

/* A NOWAIT fault gives up where it would wait for the page of a swap entry. */
#define not_present	(pte == PTE_SWAP && (slot_pfn == NO_FRAME || frame[slot_pfn].locked))

/* Any other waits for the lock, and all do on a migration entry. */
#define sleeps(write)	(!allowed(write) && entry_pfn != NO_FRAME && \
			(pte_migrates || frame[entry_pfn].locked))

inline delete_from_swap_cache(f)
{
	frame[f].swapcache = 0;
	frame[f].private = 0;
	slot_pfn = NO_FRAME;
	put_page(f)
}

/* do_swap_page() of a page in the swap cache, do_wp_page() of a page that a read has mapped. */
inline fault(write)
{
	if
	:: pte == PTE_SWAP ->
		pte = PTE_RO;
		pte_pfn = slot_pfn;
		get_page(pte_pfn);
		frame[pte_pfn].mapcount++;
		if
		:: frame[pte_pfn].mapping == NO_MAPPING -> frame[pte_pfn].mapping = ANON
		:: else
		fi
	:: else -> assert(!(write) || pte == PTE_RW || frame[pte_pfn].mapping == ANON)
	fi;
	if
	:: (write) && pte == PTE_RO ->
		pte = PTE_RW;
		if
		:: frame[pte_pfn].swapcache -> delete_from_swap_cache(pte_pfn)
		:: else
		fi
	:: else
	fi
}

/* swapin_readahead(): the page is locked and in the swap cache until the read ends. */
inline read_swap_cache()
{
	alloc_page(slot_pfn);
	frame[slot_pfn].locked = 1;
	frame[slot_pfn].swapcache = 1;
	frame[slot_pfn].private = SLOT;
	frame[slot_pfn].lru = 1
}

/* ---------------------------------------------------------------- contexts */

inline alloc_ctx(c, v)
{
	assert(!ctx[c].live);
	ctx[c].live = 1;
	ctx[c].context = v
}

inline free_ctx(c)
{
	ctx[c].live = 0;
	ctx[c].ori_mapping = NO_MAPPING;
	ctx[c].context = 0;
	ctx[c].owners = 0
}

/* ---------------------------------------------------------------- vCPUs */

#ifdef L5
#define may_take	(!frame[apf[_pid].page].locked)
#else
#define may_take	true
#endif

/* L5: the context names another of its owners. */
inline find_owner()
{
	other = 0;
	do
	:: other == _pid || apf[other].shares != found -> other++
	:: else -> break
	od;
	ctx[found].context = other;
	other = 0
}

/* L5: the work item is no owner of its context any more; the last one restores the mapping. */
inline release_ctx()
{
	found = apf[_pid].shares;
	if
	:: found != 0 ->
		ctx[found].owners--;
		if
		:: ctx[found].owners > 0 ->
			if
			:: ctx[found].context == _pid -> find_owner()
			:: else
			fi
		:: else ->
			if
			:: !ctx[found].live -> broken(INV_UAF)
			:: else ->
				frame[apf[_pid].page].mapping = ctx[found].ori_mapping;
				free_ctx(found);
				frame[apf[_pid].page].private = 0
			fi
		fi
	:: else
	fi
}

/* kvm_release_page_clean(), and the work item is freed */
inline release_item()
{
	apf[_pid].holds = NO_FRAME;
#ifndef SEED_NO_PUT
	put_page(apf[_pid].page);
#endif
	found = 0;
	apf[_pid].state = APF_FREE;
	apf[_pid].page = NO_FRAME;
	apf[_pid].shares = 0;
	check()
}

/* A vCPU thread: the guest's access, its fault, and the completion before the access is tried again. */
active [VCPUS] proctype vcpu()
{
	unsigned on : 2;	/* page whose lock it sleeps on */
	unsigned found : 2;	/* context that it has read from the page */
	unsigned other : 2;

guest:
	if
	:: d_step {
		alive && !frame[on].locked && allowed(WRITES) ->
		printf("vcpu %d: access\n", _pid);
		on = NO_FRAME;
		nr_ended++
	   };
	   goto end_of_script
	:: d_step {
		alive && !frame[on].locked && resolves(WRITES) ->
		printf("vcpu %d: fault\n", _pid);
		on = NO_FRAME;
		fault(WRITES);
		nr_ended++;
		check()
	   };
	   goto end_of_script
	:: d_step {
		alive && !frame[on].locked && not_present ->
		printf("vcpu %d: not present\n", _pid);
		on = NO_FRAME;
		if
		:: slot_pfn == NO_FRAME -> read_swap_cache()
		:: else
		fi;
		apf[_pid].state = APF_QUEUED;
		check()
	   };
	   goto entry
	:: d_step {
		alive && !frame[on].locked && !not_present && sleeps(WRITES) ->
		printf("vcpu %d: sleep\n", _pid);
		on = entry_pfn;
		sleep_on_page(on);
		check()
	   };
	   goto guest
	fi;

	/* kvm_check_async_pf_completion() */
entry:
	if
	:: d_step {
		alive && apf[_pid].state == APF_DONE && may_take ->
		printf("vcpu %d: take\n", _pid)
	   }
	fi;
#ifdef L5
	d_step {
		alive && !frame[apf[_pid].page].locked ->
		printf("vcpu %d: put\n", _pid);
		release_ctx();
		release_item()
	};
#else
	if
	:: d_step {
		alive && frame[apf[_pid].page].mapping == SUBSTITUTE ->
		printf("vcpu %d: test: replaced\n", _pid)
	   }
	:: d_step {
		alive && frame[apf[_pid].page].mapping != SUBSTITUTE ->
		printf("vcpu %d: test: not replaced\n", _pid)
	   };
	   goto release
	fi;
	d_step {
		alive ->
		printf("vcpu %d: read private\n", _pid);
		found = ctx_of(apf[_pid].page)
	};
	d_step {
		alive ->
		printf("vcpu %d: restore\n", _pid);
		if
		:: !ctx[found].live -> broken(INV_UAF)
		:: else -> frame[apf[_pid].page].mapping = ctx[found].ori_mapping
		fi;
		check()
	};
	d_step {
		alive ->
		printf("vcpu %d: free\n", _pid);
		if
		:: !ctx[found].live -> broken(INV_UAF)	/* freed twice */
		:: else -> free_ctx(found)
		fi;
		found = 0;
		check()
	};
release:
	if
	:: d_step {
		alive ->
		printf("vcpu %d: put\n", _pid);
		release_item()
	   }
	fi;
#endif
	goto guest;

end_of_script:
	false
}

/* ---------------------------------------------------------------- workers */

#define V		(_pid - VCPUS)		/* the vCPU of this worker */
#define C		(_pid - VCPUS + 1)	/* its context */

/* async_pf_execute() */
active [VCPUS] proctype worker()
{
	unsigned on : 2;	/* page whose lock it sleeps on */
	unsigned page : 2;

end_idle:
	if
	:: d_step {
		alive && apf[V].state == APF_QUEUED ->
		printf("worker %d: allocate\n", V);
		alloc_ctx(C, V)
	   }
	fi;

gup:	/* get_user_pages(write = 1) */
	if
	:: d_step {
		alive && !frame[on].locked && (allowed(true) || resolves(true)) ->
		printf("worker %d: GUP\n", V);
		on = NO_FRAME;
		fault(true);
		page = pte_pfn;
		get_page(page);
		apf[V].holds = page;
		check()
	   }
	:: d_step {
		alive && !frame[on].locked && sleeps(true) ->
		printf("worker %d: GUP sleeps\n", V);
		on = entry_pfn;
		sleep_on_page(on);
		check()
	   };
	   goto gup
	fi;

#ifdef L5
	d_step {	/* under the page lock: shares the context of the page, or installs its own */
		alive && !frame[page].locked ->
		printf("worker %d: store\n", V);
		apf[V].page = page;
		if
		:: frame[page].mapping == SUBSTITUTE ->
			apf[V].shares = ctx_of(page);
			ctx[apf[V].shares].owners++;
			free_ctx(C)
		:: frame[page].mapping == ANON && !frame[page].swapcache ->
			ctx[C].ori_mapping = frame[page].mapping;
			ctx[C].owners = 1;
			frame[page].private = C;
			frame[page].mapping = SUBSTITUTE;
			apf[V].shares = C
		:: else -> free_ctx(C)
		fi;
		check()
	};
#else
	if
	:: d_step {
		alive && page_anon(page) ->
		printf("worker %d: test: anonymous\n", V)
	   }
	:: d_step {
		alive && !page_anon(page) ->
		printf("worker %d: test: not anonymous\n", V)
	   };
	   goto finish		/* the context is forgotten */
	fi;
	d_step {
		alive ->
		printf("worker %d: read mapping\n", V);
		ctx[C].ori_mapping = frame[page].mapping
	};
	d_step {
		alive ->
		printf("worker %d: point\n", V);
		frame[page].private = C
	};
	d_step {
		alive ->
		printf("worker %d: store\n", V);
		frame[page].mapping = SUBSTITUTE;
		check()
	};
#endif
finish:
	if
	:: d_step {
		alive ->
		printf("worker %d: finish\n", V);
#ifndef L5
		apf[V].page = page;
#endif
		page = NO_FRAME;
		apf[V].state = APF_DONE
	   }
	fi;
	goto end_idle
}

/* ---------------------------------------------------------------- swap I/O */

active proctype io()
{
end_idle:
	if
	:: d_step {
		alive && slot_pfn != NO_FRAME && !frame[slot_pfn].uptodate ->
		printf("io: read\n");
		frame[slot_pfn].uptodate = 1;
		unlock_page(slot_pfn);
		check()
	   }
	fi;
	goto end_idle
}

/* ---------------------------------------------------------------- migrator */

/* mm/rmap.c, taught to see the original mapping (L4): does a walk that starts at `f` find the place? */
inline rmap_walk(f, finds)
{
	if
	:: frame[f].mapping == SUBSTITUTE ->
		if
		:: !ctx[ctx_of(f)].live -> broken(INV_UAF)
		:: else -> finds = (ctx[ctx_of(f)].ori_mapping == ANON)
		fi
	:: else -> finds = (frame[f].mapping == ANON)
	fi
}

inline remove_migration_ptes(from, to, finds)
{
	rmap_walk(to, finds);
	if
	:: finds && pte_migrates && pte_pfn == from ->
		pte = (pte == PTE_MIGRATE_RW -> PTE_RW : PTE_RO);
		pte_pfn = to;
		get_page(to);
		frame[to].mapcount++
	:: else
	fi;
	finds = 0
}

/* migrate_page_copy(), as far as it is flags */
inline migrate_page_copy()
{
	frame[target].uptodate = 1;
	frame[isolated].swapcache = 0;
	frame[isolated].private = 0
}

/* move_to_new_page() when migratepage has failed */
inline end_failed_move()
{
	frame[target].mapping = NO_MAPPING;
	unlock_page(target)
}

/* The page has not moved: its migration entries go. */
inline remap_page()
{
	printf("migrator: remap\n");
	remove_migration_ptes(isolated, isolated, finds);
	unmapped = 0;
	check()
}

inline unlock_migrated()
{
	printf("migrator: unlock\n");
	anon_vma = 0;
	unlock_page(isolated);
	check()
}

/* putback_lru_page(), but for its put_page() */
inline putback_lru_page(f, holder)
{
	if
	:: frame[f].count > 1 -> frame[f].lru = 1
	:: else
	fi;
	holder = NO_FRAME
}

active proctype migrator()
{
	unsigned to : 2;
	unsigned from : 2;
	unsigned found : 2;	/* the callback: the context, */
	unsigned item : 2;	/* and the work item that it names */
	unsigned swaps : 1;	/* the page is moved within the swap cache */
	unsigned anon_vma : 1;	/* reference that keeps it */
	unsigned unmapped : 1;
	unsigned finds : 1;
	unsigned attempts : 4 = ATTEMPTS;

end_idle:
	if
	:: d_step {
		alive && (frame[1].lru || frame[2].lru) ->
		printf("migrator: isolate\n");
		isolated = (frame[1].lru -> 1 : 2);
		frame[isolated].lru = 0;
		get_page(isolated);
		check()
	   }
	fi;

allocate:
	if
	:: d_step {
		alive && frame[isolated].count > 1 ->
		printf("migrator: allocate\n");
		alloc_page(target);
		attempts--;
		check()
	   }
	:: d_step {
		alive && frame[isolated].count <= 1 ->
		printf("migrator: allocate: the page is not in use\n");
		alloc_page(target);
		attempts = 0;
		check()
	   };
	   goto putback
	fi;

	d_step {
		alive && !frame[isolated].locked ->
		printf("migrator: lock\n");
		frame[isolated].locked = 1
	};
	d_step {
		alive ->
		printf("migrator: anon_vma\n");
		anon_vma = page_anon(isolated) && frame[isolated].mapcount > 0
	};
	d_step {	/* try_to_unmap() */
		alive ->
		printf("migrator: unmap\n");
		if
		:: frame[isolated].mapping != NO_MAPPING && frame[isolated].mapcount > 0 ->
			unmapped = 1;
			rmap_walk(isolated, finds);
			if
			:: finds && pte_present && pte_pfn == isolated ->
				pte = (pte == PTE_RW -> PTE_MIGRATE_RW : PTE_MIGRATE_RO);
				frame[isolated].mapcount--;
				put_page(isolated)
			:: else
			fi;
			finds = 0
		:: else
		fi;
		check()
	};
	if
	:: d_step {
		alive && frame[isolated].mapcount == 0 ->
		printf("migrator: prepare\n");
		frame[target].locked = 1;
		frame[target].mapping = frame[isolated].mapping
	   }
	:: d_step {
		alive && frame[isolated].mapcount != 0 ->	/* still mapped */
		remap_page()
	   };
	   goto unlock
	fi;

	/* page_mapping() */
	if
	:: d_step {
		alive && !frame[isolated].swapcache && frame[isolated].mapping == SUBSTITUTE ->
		printf("migrator: dispatch to async_pf_migratepage()\n")
	   };
	   goto callback
	:: d_step {
		alive && (frame[isolated].swapcache || frame[isolated].mapping != SUBSTITUTE) ->
		printf("migrator: dispatch to migrate_page()\n");
		swaps = frame[isolated].swapcache
	   }
	fi;

	/* migrate_page() */
	if
	:: d_step {
		alive && frame[isolated].count == 1 + swaps ->
		printf("migrator: check\n");
		if
		:: swaps ->
			frame[target].count++;
			frame[target].swapcache = 1;
			frame[target].private = frame[isolated].private;
			slot_pfn = target;
			frame[target].uptodate = 1;
			frame[isolated].count--
		:: else
		fi;
		check()
	   }
	:: d_step {
		alive && frame[isolated].count != 1 + swaps ->
		printf("migrator: check: EAGAIN\n");
		swaps = 0;
		end_failed_move();
		check()
	   };
	   goto remap
	fi;
	d_step {
		alive ->
		printf("migrator: copy\n");
		swaps = 0;
		migrate_page_copy();
		check()
	};
	goto remap_target;

	/* async_pf_migratepage() */
callback:
#ifdef L5
	if
	:: d_step {	/* gives up the references of all owners, or of none */
		alive && frame[isolated].count == 1 + ctx[ctx_of(isolated)].owners ->
		printf("migrator: call\n");
		found = ctx_of(isolated);
		if
		:: !ctx[found].live || apf[ctx[found].context].state == APF_FREE -> broken(INV_UAF)
		:: else ->
			frame[isolated].count = 1;
			frame[target].count = frame[target].count + ctx[found].owners;
			migrate_page_copy();
			frame[target].mapping = frame[isolated].mapping;
			frame[target].private = found;
			do
			:: item == VCPUS -> break
			:: item < VCPUS && apf[item].holds == isolated ->
				apf[item].page = target;
				apf[item].holds = target;
				item++
			:: else -> item++
			od;
			item = 0
		fi;
		found = 0;
		check()
	   };
	   goto remap_target
	:: d_step {
		alive && frame[isolated].count != 1 + ctx[ctx_of(isolated)].owners ->
		printf("migrator: call: EAGAIN\n");
		end_failed_move();
		check()
	   };
	   goto remap
	fi;
#else
	if
	:: d_step {
		alive ->
		printf("migrator: look\n");
		found = ctx_of(isolated);
		if
		:: !ctx[found].live || apf[ctx[found].context].state == APF_FREE -> broken(INV_UAF)
		:: else -> item = ctx[found].context
		fi;
		check()
	   }
	fi;
	d_step {
		alive ->
		printf("migrator: put\n");
		put_window = 1;
		put_page(isolated);
		check()
	};
	if
	:: d_step {
		alive && frame[isolated].count == 1 ->
		printf("migrator: check\n");
		if
		:: !ctx[found].live -> broken(INV_UAF)
		:: else
		fi;
		check()
	   }
	:: d_step {
		alive && frame[isolated].count != 1 ->
		printf("migrator: check: EAGAIN\n");
		if
		:: !ctx[found].live -> broken(INV_UAF)
		:: else ->
			get_page(isolated);
			put_window = 0;
			end_failed_move()
		fi;
		found = 0;
		item = 0;
		check()
	   };
	   goto remap
	fi;
	d_step {	/* under the lock of the vCPU that the work item names */
		alive ->
		printf("migrator: copy\n");
		if
		:: !ctx[found].live || apf[item].state == APF_FREE -> broken(INV_UAF)
		:: else ->
			get_page(target);
			migrate_page_copy();
			frame[target].mapping = ctx[found].ori_mapping;
			apf[item].page = target;
			apf[item].holds = target;
			put_window = 0
		fi;
		found = 0;
		item = 0;
		check()
	};
#endif

remap_target:
	if
	:: d_step {
		alive ->
		printf("migrator: remap to the target\n");
		attempts = 0;
		if
		:: unmapped -> remove_migration_ptes(isolated, target, finds)
		:: else
		fi;
		unmapped = 0;
		frame[isolated].mapping = NO_MAPPING;
		unlock_page(target);
		check()
	   }
	fi;
	goto unlock;

remap:
	if
	:: d_step {
		alive && unmapped ->
		remap_page()
	   }
	:: d_step {
		alive && !unmapped ->
		unlock_migrated()
	   };
	   goto putback
	fi;
unlock:
	if
	:: d_step {
		alive ->
		unlock_migrated()
	   }
	fi;
putback:
	if
	:: d_step {
		alive && attempts > 0 ->
		printf("migrator: put the target\n");
		to = target;
		target = NO_FRAME;
		put_page(to);
		to = NO_FRAME;
		check()
	   };
	   goto allocate
	:: d_step {
		alive && attempts == 0 ->
		printf("migrator: putback\n");
		from = isolated;
		putback_lru_page(from, isolated);
		put_page(from);
		from = NO_FRAME;
		to = target;
		putback_lru_page(to, target);
		put_page(to);
		to = NO_FRAME;
		nr_ended++;
		check()
	   }
	fi;

end_of_script:
	false
}

/* ---------------------------------------------------------------- the end of a run */

/* Nobody can go on: vCPUs and migrator have ended (INV-LIVE), and no context is left (INV-CTX). */
active proctype end_of_run()
{
end_watch:
	if
	:: atomic {
		timeout && alive ->
		if
		:: nr_ended != NR_ENDING -> broken(INV_LIVE)
		:: else ->
			if
			:: any_ctx -> broken(INV_CTX)
			:: else
			fi
		fi
	   }
	fi;
end_of_script:
	false
}
