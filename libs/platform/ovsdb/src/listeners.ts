/** Subscribers of one event. A subscriber that leaves while others are told is not told. */
export class Listeners<T> {
  private readonly members = new Set<(event: T) => void>();

  /** Adds a subscriber; the result removes it. */
  add(listener: (event: T) => void): () => void {
    const member = (event: T): void => listener(event);
    this.members.add(member);
    return () => {
      this.members.delete(member);
    };
  }

  tell(event: T): void {
    for (const member of this.members) member(event);
  }
}
