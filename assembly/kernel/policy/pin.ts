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

/** Takes the reference and makes `pfn` the page of the work item. */
export function holdPage(apfId: i32, pfn: i32): void {
  const apf = apfAt(apfId);
  apf.page = pfn;
  apf.pin = takePin(HOLDER_ASYNC_PF, pfn, 0, apf.vcpu, apf.token);
  pinAt(apf.pin).apf = apfId;
}

/** get_user_pages(write = 1) of one page; a failure leaves apf.page NULL. */
export function pinExecute(apfId: i32): void {
  const apf = apfAt(apfId);
  const pfn = faultinPage(apf.mm, apf.gfn, true);
  if (pfn > 0) holdPage(apfId, pfn);
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
