//! The number types of the file formats.

/// The type of a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberType {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl NumberType {
    /// Returns the size of a number, bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Returns the least and the greatest integer of the type, or `None` for floating point.
    pub(crate) fn integers(self) -> Option<(f64, f64)> {
        match self {
            Self::I8 => Some((f64::from(i8::MIN), f64::from(i8::MAX))),
            Self::U8 => Some((0.0, f64::from(u8::MAX))),
            Self::I16 => Some((f64::from(i16::MIN), f64::from(i16::MAX))),
            Self::U16 => Some((0.0, f64::from(u16::MAX))),
            Self::I32 => Some((f64::from(i32::MIN), f64::from(i32::MAX))),
            Self::U32 => Some((0.0, f64::from(u32::MAX))),
            Self::I64 => Some((i64::MIN as f64, i64::MAX as f64)),
            Self::U64 => Some((0.0, u64::MAX as f64)),
            Self::F16 | Self::F32 | Self::F64 => None,
        }
    }

    /// Returns the value of full brightness in a colour of this type. Floating-point colours are in
    /// [0, 1]. For the other integer types no convention exists.
    pub(crate) fn brightest(self) -> Option<f64> {
        match self {
            Self::U8 => Some(f64::from(u8::MAX)),
            Self::U16 => Some(f64::from(u16::MAX)),
            Self::F16 | Self::F32 | Self::F64 => Some(1.0),
            _ => None,
        }
    }

    /// Decodes the number at the front of `bytes`, or returns `None` if the bytes end within it.
    /// Integers of 64 bits are rounded to `f64`.
    #[inline(always)]
    pub(crate) fn decode(self, bytes: &[u8], order: ByteOrder) -> Option<f64> {
        Some(match self {
            Self::I8 => f64::from(front::<1>(bytes, order)?[0] as i8),
            Self::U8 => f64::from(front::<1>(bytes, order)?[0]),
            Self::I16 => f64::from(i16::from_le_bytes(front(bytes, order)?)),
            Self::U16 => f64::from(u16::from_le_bytes(front(bytes, order)?)),
            Self::I32 => f64::from(i32::from_le_bytes(front(bytes, order)?)),
            Self::U32 => f64::from(u32::from_le_bytes(front(bytes, order)?)),
            Self::I64 => i64::from_le_bytes(front(bytes, order)?) as f64,
            Self::U64 => u64::from_le_bytes(front(bytes, order)?) as f64,
            Self::F16 => f64::from(half::f16::from_le_bytes(front(bytes, order)?)),
            Self::F32 => f64::from(f32::from_le_bytes(front(bytes, order)?)),
            Self::F64 => f64::from_le_bytes(front(bytes, order)?),
        })
    }
}

/// Returns the first bytes in little-endian order.
#[inline(always)]
fn front<const N: usize>(bytes: &[u8], order: ByteOrder) -> Option<[u8; N]> {
    let mut front = *bytes.first_chunk::<N>()?;
    if order == ByteOrder::Big {
        front.reverse();
    }
    Some(front)
}
