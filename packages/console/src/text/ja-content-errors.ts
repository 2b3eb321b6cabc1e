import type { ContentCode } from '@wcc/api/content';
import type { ErrorText } from './text.ts';

/** Refusals of files for their content. */
export const jaContentErrors: Record<Exclude<ContentCode, 'image_too_large'>, ErrorText> = {
  hostile_image: {
    message: 'ほかのファイルを参照し、このホストから読めるおそれのあるイメージのため、使いません。',
    hint: '参照先のある所で qemu-img により変換した、単独で完結したイメージを使ってください。',
  },
  damaged_image: {
    message: 'イメージが破損しているか、途中で切れているため、使いません。',
    hint: '入手元からもう一度取得し、SHA-256 を確認してください。',
  },
  compressed_file: {
    message: '圧縮ファイルまたは書庫のため、使いません。',
    hint: '先に展開し、中のイメージを使ってください。',
  },
  not_an_image: {
    message: '空のファイル、または明らかにディスクではないファイルのため、使いません。',
    hint: 'エラーページなどの可能性があります。内容を確認し、イメージ自体を取得してください。',
  },
  unsupported_format: {
    message: 'この形式のファイルは、イメージとして使えません。',
    hint: '先に raw、qcow2、iso に変換してください。',
  },
};
