/** The record of a process that is an actor. */
import { ACTOR_SIZE } from "../abi";
import { Faulter } from "./faulter";

@unmanaged
export class ProcessActor extends Faulter {
  child: i32; // address space of the child that it has made, 0 = none
  cursor: i32; // of fork and exit: the virtual page from which it goes on
}

if (offsetof<ProcessActor>() > <usize>ACTOR_SIZE) ERROR("size of a process's record");
