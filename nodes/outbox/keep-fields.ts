import { flag, plainNumber, type When } from '../fields/fields';

/** The fields of nodes whose messages can be kept; `when` is the condition of the node under which they can. */
export const keepFields = (when: When = {}) => ({
  keep: flag(false, { when, section: 'keep' }),
  keepMost: plainNumber(100, {
    min: 1,
    max: 10_000,
    takes: 'MB',
    when: { ...when, keep: ['true'] },
    section: 'keep',
    icon: 'hdd-o'
  }),
  keepHours: plainNumber(0, {
    min: 0,
    max: 87_600,
    takes: 'hours',
    when: { ...when, keep: ['true'] },
    section: 'keep',
    icon: 'clock-o'
  })
});

export type KeepFields = ReturnType<typeof keepFields>;
