/** Machines that start after a boot of the host: their order, and the seconds before each start. */
export const autostarts: readonly string[] = [
  `alter table vms add column autostart integer not null default 0 check (autostart in (0, 1))`,
  `alter table vms add column autostartOrder integer not null default 0 check (autostartOrder >= 0)`,
  `alter table vms add column autostartDelaySeconds integer not null default 0 check (autostartDelaySeconds >= 0)`,
];
