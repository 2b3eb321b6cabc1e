import type { ContentRefusal } from './findings.ts';
import { markedKinds } from './kinds.ts';
import type { Kind } from './kinds.ts';
import { textKinds } from './text-kinds.ts';

export interface RefusalText {
  /** What is wrong. */
  message: string;
  /** What to do. */
  hint: string;
}

type Texts = Readonly<Record<'en' | 'ja', RefusalText>>;
type Locale = keyof Texts;

const fetchAgain = 'Fetch the file again from its source, and compare its SHA-256.';
const fetchAgainJa = '入手元からもう一度取得し、SHA-256 を確認してください。';

/** Reasons that are no kind of file. */
const reasons: Readonly<Record<string, Texts>> = {
  empty: {
    en: { message: 'The file is empty.', hint: 'Check whether its download or its copy has failed.' },
    ja: { message: 'ファイルが空です。', hint: 'ダウンロードやコピーに失敗していないか確認してください。' },
  },
  backing_file: {
    en: {
      message: 'The qcow2 image needs a backing file.',
      hint: 'Convert it where that file is: qemu-img convert -O qcow2 FILE NEW.qcow2',
    },
    ja: {
      message: '別のイメージ（バッキングファイル）に依存しています。',
      hint: 'そのファイルがある所で変換してください: qemu-img convert -O qcow2 FILE NEW.qcow2',
    },
  },
  external_data: {
    en: {
      message: 'The qcow2 image has its data in another file.',
      hint: 'Convert it where that file is: qemu-img convert -O qcow2 FILE NEW.qcow2',
    },
    ja: {
      message: 'データが別のファイルにあります。',
      hint: 'そのファイルがある所で変換してください: qemu-img convert -O qcow2 FILE NEW.qcow2',
    },
  },
  malformed_qcow2: {
    en: { message: 'The qcow2 header has impossible values.', hint: fetchAgain },
    ja: { message: 'qcow2 のヘッダーの値が正しくありません。', hint: fetchAgainJa },
  },
  truncated: {
    en: { message: 'The file is truncated: its end is missing.', hint: fetchAgain },
    ja: { message: 'ファイルの末尾が欠けています。', hint: fetchAgainJa },
  },
  marked_damaged: {
    en: {
      message: 'The qcow2 image is marked as damaged.',
      hint: 'Repair it where you have a copy: qemu-img check -r all FILE',
    },
    ja: {
      message: '破損の印がある qcow2 です。',
      hint: 'コピーを取ったうえで修復してください: qemu-img check -r all FILE',
    },
  },
  encrypted: {
    en: { message: 'The qcow2 image is encrypted.', hint: 'Decrypt it with qemu-img convert first.' },
    ja: { message: '暗号化された qcow2 です。', hint: '先に qemu-img convert で復号してください。' },
  },
  unknown_features: {
    en: { message: 'The qcow2 image uses unsupported features.', hint: 'Convert it with qemu-img convert.' },
    ja: { message: '対応していない機能を使う qcow2 です。', hint: 'qemu-img convert で変換してください。' },
  },
  qcow_version: {
    en: {
      message: 'This version of qcow is not supported; versions 2 and 3 are.',
      hint: 'Convert it to qcow2 version 3: qemu-img convert -O qcow2 FILE NEW.qcow2',
    },
    ja: {
      message: '対応していない版の qcow です（対応: 2 と 3）。',
      hint: 'qcow2 に変換してください: qemu-img convert -O qcow2 FILE NEW.qcow2',
    },
  },
  image_too_large: {
    en: {
      message: 'The image is larger than this server accepts.',
      hint: 'An administrator can raise the limit with --max-virtual-size.',
    },
    ja: {
      message: 'イメージが、このサーバーで受け入れる大きさを超えています。',
      hint: '管理者は --max-virtual-size で上限を変更できます。',
    },
  },
};

const kinds = new Map<string, Kind>([...markedKinds, ...textKinds].map((kind) => [kind.id, kind]));

/** All reasons that the judgement can give. */
export const refusalReasons: readonly string[] = [...Object.keys(reasons), ...kinds.keys()];

/** The text of a reason; null if it is not a reason of the judgement. */
export function refusalText(reason: string, locale: Locale = 'en'): RefusalText | null {
  const own = reasons[reason];
  if (own !== undefined) return own[locale];
  const kind = kinds.get(reason);
  return kind === undefined ? null : locale === 'ja' ? japanese(kind) : english(kind);
}

/** The exact message of a refusal, and what to do. */
export function explainRefusal({ reason, message, hint }: ContentRefusal): RefusalText {
  const text = refusalText(reason) ?? {
    message: 'The file cannot be used as an image.',
    hint: 'Use another file.',
  };
  return { message: message ?? text.message, hint: hint ?? text.hint };
}

const convert = (tool: string): string => `qemu-img convert -f ${tool} -O qcow2 FILE NEW.qcow2`;

function english({ family, name, tool }: Kind): RefusalText {
  const message = `This is a ${name} file, which cannot be used as an image.`;
  if (family === 'compressed' || family === 'archive')
    return { message, hint: tool === undefined ? 'Unpack it first.' : `Unpack it first: ${tool} FILE` };
  if (family === 'disk')
    return {
      message,
      hint:
        tool === undefined
          ? 'Convert it to a raw disk or an ISO first.'
          : `Convert it first: ${convert(tool)}`,
    };
  return {
    message,
    hint: 'It may be an error page or a part of a download: open it, then fetch the image itself.',
  };
}

function japanese({ family, name, nameJa = name, tool }: Kind): RefusalText {
  const message = `${nameJa} のファイルは、イメージとして使えません。`;
  if (family === 'compressed' || family === 'archive')
    return {
      message,
      hint: tool === undefined ? '先に展開してください。' : `先に展開してください: ${tool} FILE`,
    };
  if (family === 'disk')
    return {
      message,
      hint:
        tool === undefined
          ? '先に raw か ISO に変換してください。'
          : `先に変換してください: ${convert(tool)}`,
    };
  return {
    message,
    hint: 'エラーページなどの可能性があります。内容を確認し、イメージ自体を取得してください。',
  };
}

/** The name of a kind; null if the reason is no kind of file. */
export function kindName(reason: string, locale: Locale = 'en'): string | null {
  const kind = kinds.get(reason);
  return kind === undefined ? null : locale === 'ja' ? (kind.nameJa ?? kind.name) : kind.name;
}
