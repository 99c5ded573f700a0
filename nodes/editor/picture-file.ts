/** Pictures that are chosen from the disk of whoever uses the editor. */

/** A larger file is scaled down, bytes: Node-RED's editor takes requests of 5 MB, and base64 adds a third. */
const largestFile = 3_000_000;
/** The longer side that it then has, pixels. */
const longestSide = 1920;

/** Reads a blob as a data URL. */
const dataUrlOf = (blob: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });

async function scaled(file: Blob): Promise<string> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/jpeg', 0.9);
}

/** A picture as a data URL; `undefined` for a file that is none, or cannot be read. */
export async function pictureOf(file: File): Promise<string | undefined> {
  try {
    return file.size > largestFile ? await scaled(file) : await dataUrlOf(file);
  } catch {
    return undefined;
  }
}
