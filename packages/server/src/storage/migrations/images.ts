/** Raw images that wcc made or received: a guest may have written any header into them. */
export const fixedFormats: readonly string[] = [
  `alter table images add column fixedFormat integer not null default 0 check (fixedFormat in (0, 1))`,
  `update images set fixedFormat = 1 where format = 'raw' and (owner is not null or private = 1)`,
];

/** Warnings about content, as a JSON array of codes. Files from before have theirs after their next change. */
export const contentRemarks: readonly string[] = [
  `alter table images add column remarks text not null default '[]'`,
];

/** Forgets the state of a base with its last overlay. */
const forgetBase = `begin
  update images set baseFile = null, baseSha256 = null where id = old.baseId
    and not exists (select 1 from images where baseId = old.baseId)
    and not exists (select 1 from vmDisks where baseId = old.baseId);
  end`;

/**
 * The state of the file that overlays were made on, while there are overlays. Of earlier overlays, the state of the last
 * scan is the best that is known.
 */
export const bases: readonly string[] = [
  `alter table images add column baseFile text`,
  `alter table images add column baseSha256 text`,
  `update images set
     baseFile = inode || ':' || sizeBytes || ':' || mtimeNs || ':' || coalesce(ctimeNs, ''),
     baseSha256 = case digestOf
       when inode || ':' || sizeBytes || ':' || mtimeNs || ':' || ctimeNs then sha256 end
   where id in (select baseId from images) or id in (select baseId from vmDisks)`,
  `create index vmDisksByBase on vmDisks (baseId) where baseId is not null`,
  `create trigger imagesForgetBase after delete on images when old.baseId is not null ${forgetBase}`,
  `create trigger vmDisksForgetBase after delete on vmDisks when old.baseId is not null ${forgetBase}`,
];
