/**
 * `pin`: what v3.12 does. The worker's GUP keeps a reference until the completion is handled in the vCPU
 * thread.
 */
import { HOLDER_ASYNC_PF } from "../../abi";
import { apfAt } from "../../state/apf";
import { pageAt } from "../../state/page";
import { putPage } from "../../state/page_free";
import { pinAt, removePin } from "../../state/pins";
import { faultinPage, takePin } from "../gup";

/**
 * get_user_pages(write = 1) of one page with FOLL_GET; a failure leaves the worker's page NULL. Returns what
 * faultinPage() does.
 */
export function pinGup(apfId: i32): i32 {
  const apf = apfAt(apfId);
  return holdPage(apfId, faultinPage(apf.mm, apf.gfn, true));
}

/** Takes the worker's reference of `pfn`, unless that is no page. Returns `pfn`. */
export function holdPage(apfId: i32, pfn: i32): i32 {
  if (pfn > 0) {
    const apf = apfAt(apfId);
    apf.workerPage = pfn;
    apf.pin = takePin(HOLDER_ASYNC_PF, pfn, 0, apf.vcpu, apf.token);
    pinAt(apf.pin).apf = apfId;
  }
  return pfn;
}

/** kvm_release_page_clean(): put_page(). */
export function pinRelease(apfId: i32): void {
  const apf = apfAt(apfId);
  if (apf.page == 0) return;
  removePin(apf.pin);
  putPage(pageAt(apf.page));
  apf.pin = 0;
  apf.page = 0;
}
