/** The runner's timers: repeated ones, and single ones gathered into 10 ms slots so that many pauses cost few looks. */
const SLOT_MS = 10;

export class Timers {
  private readonly repeated: NodeJS.Timeout[] = [];
  private readonly slots = new Map<number, NodeJS.Timeout>();

  every(ms: number, callback: () => void): void {
    this.repeated.push(setInterval(callback, ms));
  }

  /** Calls back in `ms`, not earlier, at most a slot later. What falls into one slot is called once. */
  once(ms: number, callback: () => void): void {
    const slot = Math.ceil((performance.now() + ms) / SLOT_MS);
    if (this.slots.has(slot)) return;
    const fire = (): void => {
      this.slots.delete(slot);
      callback();
    };
    this.slots.set(slot, setTimeout(fire, slot * SLOT_MS - performance.now()));
  }

  clear(): void {
    for (const timer of this.repeated) clearInterval(timer);
    for (const timer of this.slots.values()) clearTimeout(timer);
    this.repeated.length = 0;
    this.slots.clear();
  }
}
