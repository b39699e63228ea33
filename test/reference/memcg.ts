/** What is charged to the memory cgroup: in v3.12 what is mapped or cached, in 6.x what is in use. */
import * as abi from "../../assembly/abi.ts";
import { type Machine, type Page, clearFlag, count, has, setFlag } from "./machine.ts";

export function charge(m: Machine, page: Page): void {
  if (!has(page, abi.PG_MEMCG)) count(m, abi.MEMCG_CHARGED, 1);
  setFlag(page, abi.PG_MEMCG);
}

function uncharge(m: Machine, page: Page): void {
  if (has(page, abi.PG_MEMCG)) count(m, abi.MEMCG_CHARGED, -1);
  clearFlag(page, abi.PG_MEMCG);
}

/** The last PTE of an anonymous page has gone. */
export function unchargeUnmapped(m: Machine, page: Page): void {
  const stays = has(page, abi.PG_SWAPCACHE) || has(page, abi.PG_MEMCG_MIGRATION);
  if (m.profile.chargesWhatIsMapped && !stays) uncharge(m, page);
}

/** The page has left the page cache or the swap cache. */
export function unchargeUncached(m: Machine, page: Page): void {
  if (m.profile.chargesWhatIsMapped && page.mapcount === 0) uncharge(m, page);
}

/** What is read from swap is charged at once in 6.x, in v3.12 when somebody maps it. */
export function chargeRead(m: Machine, page: Page): void {
  if (!m.profile.chargesWhatIsMapped) charge(m, page);
}

export function unchargeFreed(m: Machine, page: Page): void {
  if (!m.profile.chargesWhatIsMapped) uncharge(m, page);
}

/** While its PTEs are away for a migration an anonymous page is charged all the same. */
export function keepCharge(m: Machine, page: Page): void {
  if (m.profile.chargesWhatIsMapped) setFlag(page, abi.PG_MEMCG_MIGRATION);
}

export function moveCharge(page: Page, to: Page): void {
  if (!has(page, abi.PG_MEMCG)) return;
  clearFlag(page, abi.PG_MEMCG);
  setFlag(to, abi.PG_MEMCG);
}

/** The migration of `page` is over, and `used` is what remains: nobody may map it any more. */
export function releaseCharge(m: Machine, page: Page, used: Page): void {
  if (!has(page, abi.PG_MEMCG_MIGRATION)) return;
  clearFlag(page, abi.PG_MEMCG_MIGRATION);
  if (used.mapcount === 0) unchargeUnmapped(m, used);
}
