/** How many messages of a receiver may wait for the one before them. */
const mostWaiting = 100;

/** The order of a FIFO queue's groups: the flow has one message of each, and the others of the group wait behind it. */
export class MessageGroups<Member extends { readonly groupId: string | undefined }> {
  readonly #groups = new Map<string, Member[]>();
  #waiting = 0;

  /** How many messages wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many messages a request may bring without too many that wait: all may be of one group, whose first one does not. */
  get room(): number {
    return mostWaiting - this.#waiting + 1;
  }

  /** Whether there is no place for a message: it would have to wait, as many as may do already. */
  isFullFor({ groupId }: Member): boolean {
    return this.#waiting >= mostWaiting && groupId !== undefined && this.#groups.has(groupId);
  }

  /** Whether no other one of its group is before it. */
  isFirst(member: Member): boolean {
    return member.groupId === undefined || this.#groups.get(member.groupId)?.[0] === member;
  }

  /** Takes a message in, behind those of its group. */
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

  /** Takes out the messages behind this one, and gives them in their order. */
  takeBehind(member: Member): Member[] {
    const group = this.#groupOf(member);
    const behind = group?.splice(group.indexOf(member) + 1) ?? [];
    this.#waiting -= behind.length;
    return behind;
  }

  /** Takes out a message. Gives the next one where that is the first one of its group now. */
  remove(member: Member): Member | undefined {
    const group = this.#groupOf(member);
    if (!group) return undefined;
    const index = group.indexOf(member);
    group.splice(index, 1);
    if (group.length === 0) this.#groups.delete(member.groupId as string);
    else this.#waiting -= 1;
    return index === 0 ? group[0] : undefined;
  }

  #groupOf(member: Member): Member[] | undefined {
    const group = member.groupId === undefined ? undefined : this.#groups.get(member.groupId);
    return group?.includes(member) ? group : undefined;
  }
}
