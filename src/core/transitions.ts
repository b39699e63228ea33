/** Transitions: what each is called, and the kernel function in which it happens. */
import * as abi from "./abi.ts";

export interface TransitionName {
  readonly name: string;
  readonly function: string;
}

const transitions: Readonly<Record<number, TransitionName>> = {
  [abi.TRANSITION_GUEST_ACCESS]: { name: "access", function: "guest" },
  [abi.TRANSITION_GUEST_FAULT]: { name: "fault", function: "tdp_page_fault" },
  [abi.TRANSITION_GUEST_NOT_PRESENT]: { name: "queue work", function: "kvm_setup_async_pf" },
  [abi.TRANSITION_GUEST_HALT]: { name: "halt", function: "kvm_arch_async_page_not_present" },
  [abi.TRANSITION_GUEST_SLEEP]: { name: "sleep", function: "wait_on_page_locked" },
  [abi.TRANSITION_WORKER_ALLOC]: { name: "allocate context", function: "async_pf_execute" },
  [abi.TRANSITION_WORKER_GUP]: { name: "get page", function: "get_user_pages" },
  [abi.TRANSITION_WORKER_TEST]: { name: "test PageAnon", function: "async_pf_execute" },
  [abi.TRANSITION_WORKER_READ]: { name: "save mapping", function: "async_pf_execute" },
  [abi.TRANSITION_WORKER_POINT]: { name: "store private", function: "async_pf_execute" },
  [abi.TRANSITION_WORKER_STORE]: { name: "store mapping", function: "async_pf_execute" },
  [abi.TRANSITION_WORKER_FINISH]: { name: "add to done", function: "async_pf_execute" },
  [abi.TRANSITION_ENTRY_TAKE]: { name: "take", function: "kvm_check_async_pf_completion" },
  [abi.TRANSITION_ENTRY_TEST]: { name: "test mapping", function: "kvm_check_async_pf_completion" },
  [abi.TRANSITION_ENTRY_READ]: { name: "read private", function: "kvm_check_async_pf_completion" },
  [abi.TRANSITION_ENTRY_RESTORE]: { name: "restore mapping", function: "kvm_check_async_pf_completion" },
  [abi.TRANSITION_ENTRY_FREE]: { name: "free context", function: "kvm_check_async_pf_completion" },
  [abi.TRANSITION_ENTRY_PUT]: { name: "put page", function: "kvm_check_async_pf_completion" },
  [abi.TRANSITION_CLEAR_CANCEL]: { name: "cancel work", function: "cancel_work_sync" },
  [abi.TRANSITION_CLEAR_TEST]: {
    name: "test mapping to clear",
    function: "kvm_clear_async_pf_completion_queue",
  },
  [abi.TRANSITION_CLEAR_READ]: {
    name: "read private to clear",
    function: "kvm_clear_async_pf_completion_queue",
  },
  [abi.TRANSITION_CLEAR_RESTORE]: {
    name: "restore mapping to clear",
    function: "kvm_clear_async_pf_completion_queue",
  },
  [abi.TRANSITION_CLEAR_FREE]: {
    name: "free context to clear",
    function: "kvm_clear_async_pf_completion_queue",
  },
  [abi.TRANSITION_CLEAR_PUT]: { name: "put page to clear", function: "kvm_clear_async_pf_completion_queue" },
  [abi.TRANSITION_MIGRATE_ISOLATE]: { name: "isolate", function: "isolate_lru_page" },
  [abi.TRANSITION_MIGRATE_ALLOCATE]: { name: "allocate target", function: "unmap_and_move" },
  [abi.TRANSITION_MIGRATE_LOCK]: { name: "lock", function: "__unmap_and_move" },
  [abi.TRANSITION_MIGRATE_WRITEBACK]: { name: "wait for writeback", function: "__unmap_and_move" },
  [abi.TRANSITION_MIGRATE_ANON_VMA]: { name: "hold anon_vma", function: "__unmap_and_move" },
  [abi.TRANSITION_MIGRATE_UNMAP]: { name: "unmap", function: "try_to_unmap" },
  [abi.TRANSITION_MIGRATE_PREPARE]: { name: "copy mapping word", function: "move_to_new_page" },
  [abi.TRANSITION_MIGRATE_DISPATCH]: { name: "pick migratepage", function: "move_to_new_page" },
  [abi.TRANSITION_MIGRATE_LOOK]: { name: "read context", function: "async_pf_migratepage" },
  [abi.TRANSITION_MIGRATE_PUT]: { name: "put", function: "async_pf_migratepage" },
  [abi.TRANSITION_MIGRATE_CHECK]: { name: "check count", function: "migrate_page_move_mapping" },
  [abi.TRANSITION_MIGRATE_COPY]: { name: "copy", function: "migrate_page_copy" },
  [abi.TRANSITION_MIGRATE_CALL]: { name: "call migratepage", function: "move_to_new_page" },
  [abi.TRANSITION_MIGRATE_REMAP]: { name: "remap", function: "remove_migration_ptes" },
  [abi.TRANSITION_MIGRATE_UNLOCK]: { name: "unlock", function: "__unmap_and_move" },
  [abi.TRANSITION_MIGRATE_PUTBACK]: { name: "put back", function: "unmap_and_move" },
  [abi.TRANSITION_RECLAIM_ISOLATE]: { name: "isolate to reclaim", function: "isolate_lru_pages" },
  [abi.TRANSITION_RECLAIM_LOCK]: { name: "lock to reclaim", function: "shrink_page_list" },
  [abi.TRANSITION_RECLAIM_READ]: { name: "test congestion", function: "shrink_page_list" },
  [abi.TRANSITION_RECLAIM_REFERENCES]: { name: "check references", function: "page_check_references" },
  [abi.TRANSITION_RECLAIM_TEST]: { name: "test anon", function: "shrink_page_list" },
  [abi.TRANSITION_RECLAIM_SLOT]: { name: "give a slot", function: "add_to_swap" },
  [abi.TRANSITION_RECLAIM_REREAD]: { name: "read mapping again", function: "shrink_page_list" },
  [abi.TRANSITION_RECLAIM_UNMAP]: { name: "unmap to reclaim", function: "try_to_unmap" },
  [abi.TRANSITION_RECLAIM_WRITE]: { name: "write", function: "pageout" },
  [abi.TRANSITION_RECLAIM_RELOCK]: { name: "lock again", function: "shrink_page_list" },
  [abi.TRANSITION_RECLAIM_FREE]: { name: "free", function: "__remove_mapping" },
  [abi.TRANSITION_RECLAIM_UNLOCK]: { name: "unlock, kept", function: "shrink_page_list" },
  [abi.TRANSITION_RECLAIM_PUTBACK]: { name: "put back, kept", function: "putback_inactive_pages" },
  [abi.TRANSITION_IO_READ]: { name: "end read", function: "end_swap_bio_read" },
  [abi.TRANSITION_IO_WRITE]: { name: "end write", function: "end_page_writeback" },
  [abi.TRANSITION_ZAP_PTE]: { name: "clear PTE", function: "zap_pte_range" },
  [abi.TRANSITION_ZAP_RMAP]: { name: "remove rmap", function: "page_remove_rmap" },
  [abi.TRANSITION_REMOVE_VMA]: { name: "remove VMA", function: "remove_vma" },
  [abi.TRANSITION_COPY_PTE]: { name: "copy PTE", function: "copy_one_pte" },
  [abi.TRANSITION_EXIT_VCPUS]: { name: "free vCPUs", function: "kvm_destroy_vm" },
  [abi.TRANSITION_WRITE_STORE]: { name: "store", function: "process" },
  [abi.TRANSITION_WRITE_FAULT]: { name: "write fault", function: "handle_mm_fault" },
  [abi.TRANSITION_WRITE_TEST]: { name: "test to write", function: "do_wp_page" },
  [abi.TRANSITION_WRITE_COPY]: { name: "copy to write", function: "cow_user_page" },
  [abi.TRANSITION_WRITE_INSTALL]: { name: "install to write", function: "do_wp_page" },
  [abi.TRANSITION_WRITE_SLEEP]: { name: "sleep to write", function: "wait_on_page_locked" },
  [abi.TRANSITION_PIN_FAULT]: { name: "pin fault", function: "get_user_pages" },
  [abi.TRANSITION_PIN_TEST]: { name: "test to pin", function: "do_wp_page" },
  [abi.TRANSITION_PIN_COPY]: { name: "copy to pin", function: "cow_user_page" },
  [abi.TRANSITION_PIN_INSTALL]: { name: "install to pin", function: "do_wp_page" },
  [abi.TRANSITION_PIN_SLEEP]: { name: "sleep to pin", function: "wait_on_page_locked" },
  [abi.TRANSITION_PIN_GET]: { name: "pin", function: "get_user_pages" },
  [abi.TRANSITION_UNPIN]: { name: "unpin", function: "put_page" },
};

/** The name of TRANSITION_*. */
export function transitionName(transition: number): TransitionName {
  const name = transitions[transition];
  if (name === undefined) throw new Error(`transition ${transition} has no name`);
  return name;
}
