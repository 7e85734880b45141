/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* A process's mark, on a page that the kernel empties in each process that is forked.  Marks only grow from a process
 * to those that are forked from it, so that none has another's.  NULL: there is no such page, and only the number of
 * the process tells.  Without locks, for a fork may find them taken. */
static _Atomic(atomic_ullong *) page;
static atomic_ullong last_mark;

static atomic_ullong *make_page(void)
{
	void *made = mmap(NULL, sizeof(atomic_ullong), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	atomic_ullong *none = NULL;

	if (made == MAP_FAILED)
		return NULL;
	if (madvise(made, sizeof(atomic_ullong), MADV_WIPEONFORK) == 0 &&
	    atomic_compare_exchange_strong(&page, &none, made))
		return made;
	(void)munmap(made, sizeof(atomic_ullong));
	return none; /* another thread's, if there is one */
}

struct owner owner_self(void)
{
	struct owner self = { .pid = getpid() };
	atomic_ullong *mark = atomic_load(&page);
	unsigned long long none = 0;

	if (!mark)
		mark = make_page();
	if (!mark)
		return self;
	if (atomic_load(mark) == 0)
		(void)atomic_compare_exchange_strong(mark, &none, atomic_fetch_add(&last_mark, 1) + 1);
	self.mark = atomic_load(mark);
	return self;
}

bool owner_is_self(const struct owner *owner)
{
	atomic_ullong *mark = atomic_load(&page);

	return owner->pid == getpid() && (!mark || owner->mark == 0 || owner->mark == atomic_load(mark));
}
