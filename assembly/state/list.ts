/** Doubly linked lists of pages: list_head with pfns for pointers, 0 ends a list. */
import { PFN_NONE } from "../abi";
import { Page, pageAt } from "./page";

@unmanaged
export class List {
  head: i32;
  tail: i32;
  nr: i32;
}

export const LIST_SIZE: usize = offsetof<List>();

export function listAddHead(list: List, pfn: i32, page: Page): void {
  const head = list.head;
  page.next = head;
  page.prev = PFN_NONE;
  if (head == PFN_NONE) list.tail = pfn;
  else pageAt(head).prev = pfn;
  list.head = pfn;
  list.nr += 1;
}

export function listAddTail(list: List, pfn: i32, page: Page): void {
  const tail = list.tail;
  page.prev = tail;
  page.next = PFN_NONE;
  if (tail == PFN_NONE) list.head = pfn;
  else pageAt(tail).next = pfn;
  list.tail = pfn;
  list.nr += 1;
}

export function listDel(list: List, page: Page): void {
  const next = page.next;
  const prev = page.prev;
  if (prev == PFN_NONE) list.head = next;
  else pageAt(prev).next = next;
  if (next == PFN_NONE) list.tail = prev;
  else pageAt(next).prev = prev;
  page.next = PFN_NONE;
  page.prev = PFN_NONE;
  list.nr -= 1;
}
