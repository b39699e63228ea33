/**
 * Memory cgroups, as far as a page is charged to one or not (PCG_USED of its page_cgroup in v3.12, memcg_data
 * later). There is one cgroup, without a limit.
 */
import { MEMCG_CHARGED, PG_MEMCG, PG_MEMCG_MIGRATION, PG_SWAPCACHE } from "../abi";
import { Page } from "./page";
import { profile } from "./profile";
import { count } from "./vmstat";

export function chargePage(page: Page): void {
  if ((page.flags & PG_MEMCG) != 0) return;
  page.flags |= PG_MEMCG;
  count(MEMCG_CHARGED, 1);
}

export function unchargePage(page: Page): void {
  if ((page.flags & PG_MEMCG) == 0) return;
  page.flags &= ~PG_MEMCG;
  count(MEMCG_CHARGED, -1);
}

/**
 * mem_cgroup_uncharge_page() of v3.12, where the last PTE of an anonymous page has gone: not while the page
 * is in the swap cache, which uncharges it later, nor while it is being migrated.
 */
export function unchargeUnmapped(page: Page): void {
  const flags = page.flags;
  if ((flags & (PG_MEMCG | PG_SWAPCACHE | PG_MEMCG_MIGRATION)) != PG_MEMCG) return;
  if (!profile().chargeEndsWithMapping) return;
  page.flags = flags & ~PG_MEMCG;
  count(MEMCG_CHARGED, -1);
}

/** In v3.12 what leaves the page cache or the swap cache is uncharged then, unless it is mapped. */
export function unchargeUncached(page: Page): void {
  if (profile().chargeEndsWithMapping && page.mapcount == 0) unchargePage(page);
}

/** mem_cgroup_prepare_migration() of v3.12: unmapping an anonymous page does not uncharge it. */
export function prepareChargeMigration(page: Page): void {
  if (profile().chargeEndsWithMapping) page.flags |= PG_MEMCG_MIGRATION;
}

/** mem_cgroup_migrate(): the charge goes along. */
export function migrateCharge(page: Page, newPage: Page): void {
  newPage.flags |= page.flags & PG_MEMCG;
  page.flags &= ~PG_MEMCG;
}

/** mem_cgroup_end_migration() of v3.12: an anonymous page that was unmapped meanwhile is uncharged now. */
export function endChargeMigration(page: Page, used: Page): void {
  if ((page.flags & PG_MEMCG_MIGRATION) == 0) return;
  page.flags &= ~PG_MEMCG_MIGRATION;
  if (used.mapcount == 0) unchargeUnmapped(used);
}
