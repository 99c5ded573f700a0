/** How many messages of a receiver may wait for an earlier one of their group. */
const mostWaiting = 100;

/** The order of messages in the groups of a FIFO queue: the flow gets one of each group, and the others wait. */
export class MessageGroups<Member extends { readonly groupId: string | undefined }> {
  readonly #groups = new Map<string, Member[]>();
  #waiting = 0;

  /** How many messages wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many messages a request may receive: if all are of one group, all but the first have to wait. */
  get room(): number {
    return mostWaiting - this.#waiting + 1;
  }

  /** Whether a message would have to wait although as many as may wait do so already. */
  isFullFor({ groupId }: Member): boolean {
    return this.#waiting >= mostWaiting && groupId !== undefined && this.#groups.has(groupId);
  }

  /** Whether a message is the first of its group. */
  isFirst(member: Member): boolean {
    return member.groupId === undefined || this.#groups.get(member.groupId)?.[0] === member;
  }

  /** Adds a message behind the others of its group. */
  add(member: Member): void {
    const { groupId } = member;
    if (groupId === undefined) return;
    const group = this.#groups.get(groupId);
    if (!group) {
      this.#groups.set(groupId, [member]);
      return;
    }
    group.push(member);
    this.#waiting += 1;
  }

  /** Removes the messages behind this one, and returns them in their order. */
  takeBehind(member: Member): Member[] {
    const group = this.#groupOf(member);
    const behind = group?.splice(group.indexOf(member) + 1) ?? [];
    this.#waiting -= behind.length;
    return behind;
  }

  /** Removes a message. Returns the next one if that has become the first of the group. */
  remove(member: Member): Member | undefined {
    const group = this.#groupOf(member);
    if (!group) return undefined;
    const index = group.indexOf(member);
    group.splice(index, 1);
    if (group.length > 0) this.#waiting -= 1;
    else if (member.groupId !== undefined) this.#groups.delete(member.groupId);
    return index === 0 ? group[0] : undefined;
  }

  #groupOf(member: Member): Member[] | undefined {
    const group = member.groupId === undefined ? undefined : this.#groups.get(member.groupId);
    return group?.includes(member) ? group : undefined;
  }
}
